/**
 * Puts the steps of fragments in order: a step needs the steps that provide what it requires, and those of the earlier
 * phase of its resource class. Pure.
 */
import { UnderstudyError } from '../errors/error.ts';
import { phases } from '../topology/words.ts';
import type { Topology } from '../topology/topology.ts';
import { isUndoable } from './actions.ts';
import type { Fact, Requirement } from './facts.ts';
import type { StepDraft } from './fragments/fragment.ts';
import type { Step } from './plan.ts';
import { timeLimitsOf } from './time-limits.ts';

/** What the steps of a plan have in common. */
export interface Composition {
  /** The sides of the steps: where they read, or what they shut out; and where they work. */
  from: string;
  to: string;
  policies: Topology['policies'];
  /** Facts that hold before the first step: the plan's input provides them. */
  given?: readonly Fact[];
}

/**
 * Returns the steps in an order in which each stands after what it needs, and otherwise in the order given.
 * Errors: PlanError if two steps have one id, a requirement is provided by no step, or steps require each other.
 */
export function compose(drafts: readonly StepDraft[], { from, to, policies, given = [] }: Composition): Step[] {
  const nodes = drafts.map((draft) => ({ id: idOf(draft), draft }));
  const byId = new Map(nodes.map((node) => [node.id, node]));
  if (byId.size < nodes.length) throw new UnderstudyError('PlanError', `two steps have the id "${twice(nodes)}"`);
  const providers = providersOf(nodes);
  const links = new Map(nodes.map((node) => [node.id, linksOf(node, { nodes, providers, given })]));
  const ordered = inOrder(nodes, links);
  const before = new Map<string, Set<string>>();
  return ordered.map(({ id, draft }): Step => {
    const { needs, unowed } = links.get(id) ?? { needs: [], unowed: [] };
    const earlier = new Set(needs.flatMap((need) => [...(before.get(need) ?? [])]));
    before.set(id, new Set([...needs, ...earlier]));
    return {
      id,
      ...(draft.phase === undefined ? {} : { phase: draft.phase }),
      class: draft.class,
      action: draft.action,
      title: draft.title,
      // What another need waits for already is left out, unless it must not be owed.
      needs: needs.filter((need) => !earlier.has(need) || unowed.includes(need)),
      ...(unowed.length > 0 ? { unowed } : {}),
      ...(draft.providesOwed === undefined ? {} : { mayOwe: true as const }),
      provides: [...draft.provides],
      from: draft.sides?.from ?? from,
      to: draft.sides?.to ?? to,
      input: draft.input ?? {},
      undoable: isUndoable(draft.action),
      ...(draft.host === undefined ? {} : { host: draft.host }),
      ...(draft.expectedSeconds === undefined ? {} : { expectedSeconds: draft.expectedSeconds }),
      ...(draft.gate === undefined ? {} : { gate: draft.gate }),
      timeLimits: timeLimitsOf(draft.action, policies, draft.gate?.deadlineSeconds ?? draft.waitsSeconds),
    };
  });
}

interface Node {
  id: string;
  draft: StepDraft;
}

interface Links {
  needs: string[];
  /** Of `needs`: those whose debt is not enough. */
  unowed: string[];
}

function idOf({ phase, class: name, name: last }: StepDraft): string {
  return phase === undefined ? last : `${phase}/${name}/${last}`;
}

function twice(nodes: readonly Node[]): string {
  return nodes.find(({ id }, index) => nodes.findIndex((each) => each.id === id) !== index)?.id ?? '';
}

/** The steps that provide each fact, done or owed. */
function providersOf(nodes: readonly Node[]): Map<Fact, Node[]> {
  const providers = new Map<Fact, Node[]>();
  for (const node of nodes) {
    const { provides, providesOwed = [] } = node.draft;
    for (const fact of [...provides, ...providesOwed]) providers.set(fact, [...(providers.get(fact) ?? []), node]);
  }
  return providers;
}

interface Within {
  nodes: readonly Node[];
  providers: Map<Fact, Node[]>;
  given: readonly Fact[];
}

function linksOf(node: Node, within: Within): Links {
  const { nodes, providers, given } = within;
  const needs = new Set(earlierPhase(node, nodes));
  const unowed = new Set<string>();
  for (const requirement of node.draft.requires) {
    const facts = factsOf(requirement);
    if (facts.some((fact) => given.includes(fact))) continue;
    const found = facts.flatMap((fact) => providers.get(fact) ?? []);
    if (found.length === 0)
      throw new UnderstudyError(
        'PlanError',
        `step "${node.id}" requires ${facts.map((fact) => `"${fact}"`).join(' or ')}, which no step provides`,
      );
    for (const { id, draft } of found) {
      needs.add(id);
      if (draft.providesOwed && !draft.providesOwed.some((fact) => facts.includes(fact))) unowed.add(id);
    }
  }
  return { needs: [...needs], unowed: [...unowed] };
}

function factsOf(requirement: Requirement): readonly Fact[] {
  return typeof requirement === 'string' ? [requirement] : requirement.anyOf;
}

/**
 * The steps of the class's nearest earlier phase that has any, the fence apart: it is one for all classes, and steps
 * require of it what they need.
 */
function earlierPhase({ draft }: Node, nodes: readonly Node[]): string[] {
  const { phase, class: name } = draft;
  if (phase === undefined || phase === 'fence') return [];
  const waitedFor = nodes.filter(
    ({ draft: each }) => each.class === name && each.phase !== undefined && each.provides.length > 0,
  );
  for (const earlier of phases.slice(1, phases.indexOf(phase)).toReversed()) {
    const found = waitedFor.filter(({ draft: each }) => each.phase === earlier);
    if (found.length > 0) return found.map(({ id }) => id);
  }
  return [];
}

/** Each step after what it needs; of those that may come next, the first in the order given. */
function inOrder(nodes: readonly Node[], links: ReadonlyMap<string, Links>): Node[] {
  const ordered: Node[] = [];
  const done = new Set<string>();
  let left = [...nodes];
  while (left.length > 0) {
    const next = left.find(({ id }) => links.get(id)?.needs.every((need) => done.has(need)));
    if (!next) throw new UnderstudyError('PlanError', `steps require each other: ${circleIn(left, links)}`);
    ordered.push(next);
    done.add(next.id);
    left = left.filter((node) => node !== next);
  }
  return ordered;
}

function circleIn(left: readonly Node[], links: ReadonlyMap<string, Links>): string {
  const open = new Set(left.map(({ id }) => id));
  const path: string[] = [];
  for (let id = left[0]?.id ?? ''; ; id = links.get(id)?.needs.find((need) => open.has(need)) ?? '') {
    const from = path.indexOf(id);
    if (from >= 0) return [...path.slice(from), id].join(' → ');
    path.push(id);
  }
}
