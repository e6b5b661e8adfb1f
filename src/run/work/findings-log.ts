/**
 * What a step finds item by item, however many there are. The first findings are in the list itself, the others in
 * parts in the control store, so that a million of them cost a worker, and anyone who opens the list, no more than a
 * few hundred.
 */
import { z } from 'zod';
import type { Evidence } from './outcome.ts';
import { Finding, PartOfFindings, sealFindings, sealPart, type SomeFindings } from './findings.ts';
import type { StepContext } from './step-context.ts';

/** How many findings the list itself has, and each of its parts. */
const partLength = 500;
/** How many of a kind a message or a report names. */
const named = 20;

const Some = z.strictObject({ count: z.int().nonnegative(), first: z.array(Finding) });

const State = z.strictObject({
  head: z.array(Finding),
  parts: z.array(PartOfFindings),
  pending: z.array(Finding),
  all: Some,
  failed: Some,
  /** Blobs that are lost. */
  lost: Some,
});
/** Plain JSON: it travels in the progress of a step. */
export type FindingsState = z.infer<typeof State>;

/** Also reads what a step of release 0.2.0 wrote: all its findings, in one list. */
export const FindingsState = z.preprocess(
  (state) => (Array.isArray(state) ? fromList(z.array(Finding).parse(state)) : state),
  State,
);

/** The state of a step that has found nothing yet. */
export function noFindings(): FindingsState {
  const none = () => ({ count: 0, first: [] });
  return { head: [], parts: [], pending: [], all: none(), failed: none(), lost: none() };
}

function fromList(findings: readonly Finding[]): FindingsState {
  const state = noFindings();
  for (const finding of findings) take(state, finding);
  return state;
}

function take(state: FindingsState, finding: Finding): void {
  (state.head.length < partLength ? state.head : state.pending).push(finding);
  note(state.all, finding);
  if (finding.state === 'failed') note(state.failed, finding);
  if (finding.lost) note(state.lost, finding);
}

function note(some: SomeFindings, finding: Finding): void {
  some.count += 1;
  if (some.first.length < named) some.first.push(finding);
}

/**
 * Adds a finding to `state`, and writes a part once it is full. Parts are named by their digest, so writing one twice
 * makes one part.
 */
export async function addFinding(context: StepContext, state: FindingsState, finding: Finding): Promise<void> {
  take(state, finding);
  while (state.pending.length >= partLength)
    state.parts.push(await sealPart(context, state.pending.splice(0, partLength)));
}

/** Writes the list as evidence of the step; none if nothing was found. */
export async function endFindings(
  context: StepContext,
  kind: Evidence['kind'],
  state: FindingsState,
): Promise<Evidence[]> {
  if (state.all.count === 0) return [];
  const { pending } = state;
  const last = pending.length > 0 ? [await sealPart(context, pending)] : [];
  return sealFindings(context, kind, { first: state.head, parts: [...state.parts, ...last] });
}
