/** Gates, as the topology declares them, and the steps that they hold. */
import { toSeconds } from '../../topology/duration.ts';
import type { Topology } from '../../topology/topology.ts';
import { phases } from '../../topology/words.ts';
import { actionOf } from '../actions.ts';
import type { Gate } from '../plan.ts';
import { draftsOf, type StepDraft } from './fragment.ts';

type Declared = Topology['gates'][number];

/** Asked if nobody watches a run, and no gate is declared. */
const ofUnattended: Declared = {
  before: 'irreversible',
  when: 'unattended',
  approvals: 1,
  deadline: '1h',
  afterDeadline: 'decline',
};

/**
 * Adds the gates of a move, each with the steps that wait for it. A gate before a phase holds that phase and all later
 * ones of every class. One before what is `irreversible` holds every step that a cancel cannot take back.
 */
export function withGates(
  drafts: readonly StepDraft[],
  { gates }: Pick<Topology, 'gates'>,
  { unattended }: { unattended: boolean },
): StepDraft[] {
  const declared = gates.length > 0 ? gates : [ofUnattended];
  const asked = declared.filter(({ when }) => when === 'always' || unattended);
  return asked.reduce<StepDraft[]>(
    (all, gate) => [draftOf(gate), ...all.map((draft) => held(draft, gate))],
    [...drafts],
  );
}

function nameOf({ name, before }: Declared): string {
  return name ?? `before-${before}`;
}

function draftOf(declared: Declared): StepDraft {
  const { before, approvers, approvals, deadline, afterDeadline } = declared;
  const name = nameOf(declared);
  const gate: Gate = {
    name,
    ...(approvers ? { approvers } : {}),
    approvals,
    deadlineSeconds: toSeconds(deadline),
    afterDeadline,
  };
  const what = before === 'irreversible' ? 'anything happens that cannot be taken back' : `phase ${before}`;
  const who = approvals === 1 ? 'an approval' : `${approvals} approvals`;
  return draftsOf(before === 'irreversible' ? 'fence' : before, 'platform')(
    [`gate-${name}`, 'awaitApproval', `Wait for ${who} before ${what}`],
    [],
    [`gate.passed(${name})`],
    { gate },
  );
}

function held(draft: StepDraft, declared: Declared): StepDraft {
  if (draft.gate || !isHeld(draft, declared)) return draft;
  return { ...draft, requires: [...draft.requires, `gate.passed(${nameOf(declared)})`] };
}

function isHeld({ phase, action }: StepDraft, { before }: Declared): boolean {
  if (before === 'irreversible') return typeof actionOf(action).undo === 'object';
  return phase !== undefined && phases.indexOf(phase) >= phases.indexOf(before);
}
