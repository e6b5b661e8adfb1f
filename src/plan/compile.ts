/**
 * The compiler: topology + recovery point → plan. Pure: the same input gives the same plan, byte for byte. It runs
 * once, before the run. The plan is then stored by its digest and interpreted.
 */
import { UnderstudyError } from '../errors/error.ts';
import { toSeconds } from '../topology/duration.ts';
import { showCount } from '../topology/figures.ts';
import type { RegionPointer } from '../topology/pointer.ts';
import type { Topology } from '../topology/topology.ts';
import { phases, resourceClasses, type ResourceClass } from '../topology/words.ts';
import { compose } from './compose.ts';
import type { Fact, Requirement } from './facts.ts';
import {
  fenceByAgreement,
  fencedByAgreement,
  fencedOrOwed,
  hardFence,
  readmit,
  secondsToStop,
} from './fragments/fence.ts';
import { draftsOf, type StepDraft } from './fragments/fragment.ts';
import { bringOver, merged, settle, type MergeSides } from './fragments/merge.ts';
import { withGates } from './fragments/gates.ts';
import {
  mirrorState,
  reportDamage,
  scrub,
  takeDivergencePoint,
  takeRecoveryPoint,
} from './fragments/recovery-point.ts';
import { endReprotect, readmitAsStandby, useStandby } from './fragments/reprotect.ts';
import type { AcceptedLoss, Plan } from './plan.ts';
import { unfinishedJobs, type RecoveryPointSummary } from './recovery-point-summary.ts';
import { hotWarm } from './strategies/hot-warm.ts';
import type { Strategy } from './strategies/strategy.ts';

/** What a plan is compiled from. */
export interface CompileInput {
  topology: Topology;
  bundle: string;
  pointer: RegionPointer;
  /** The region that a move makes the writer, or that a replication prepares. */
  to: string;
}

function strategyOf(topology: Topology, resourceClass: ResourceClass): Strategy {
  const name = topology.strategies[resourceClass];
  if (name === 'hot-warm') return hotWarm;
  throw new UnderstudyError(
    'PreconditionError',
    `strategies.${resourceClass}: "${name}" has no plan for a move in this version; expected "hot-warm"`,
    { next: `Declare strategies.${resourceClass}: hot-warm.` },
  );
}

/** What the plan of a move is compiled from. */
export interface CompileMove extends CompileInput {
  /** The newest of the writer's region, or the one that a failover is to restore. */
  recoveryPoint: RecoveryPointSummary;
  acceptedLosses?: readonly AcceptedLoss[];
  /** Nobody watches the run: it asks at a gate before what cannot be taken back. */
  unattended?: boolean;
}

/** `failover`: the hard fence, then what the strategy of each class says of each phase. */
export function compileFailover(input: CompileMove): Plan {
  const { topology, pointer, to, recoveryPoint } = input;
  const from = pointer.writer;
  const stopping = secondsToStop(unfinishedJobs(recoveryPoint), topology);
  const late =
    stopping > toSeconds(topology.policies.jobStopDeadline)
      ? [
          `At the rate that Azure takes writes, the jobs of ${from} take ${stopping} s to stop, longer than policies.jobStopDeadline (${topology.policies.jobStopDeadline}): what is left then is owed.`,
        ]
      : [];
  return {
    ...moveOf(input, {
      operation: 'failover',
      fence: hardFence({ topology, from, to, unfinishedJobs: unfinishedJobs(recoveryPoint) }),
      fenced: fencedOrOwed,
      restores: recoveryPoint,
      notes: [...late],
    }),
    recoveryPoint: recoveryPoint.ref,
  };
}

/** `switchover`: as a failover, but from a recovery point that the run itself seals once nothing more is done there. */
export function compileSwitchover(input: CompileMove): Plan {
  const { topology, pointer, to, recoveryPoint } = input;
  const from = pointer.writer;
  return moveOf(input, {
    operation: 'switchover',
    fence: fenceByAgreement({
      topology,
      from,
      to,
      unfinishedJobs: unfinishedJobs(recoveryPoint),
      earlier: recoveryPoint.ref,
    }),
    fenced: fencedByAgreement,
    notes: [],
  });
}

/** What the plan of a failback is compiled from. */
export interface CompileFailback extends CompileMove {
  merge: Pick<MergeSides, 'base' | 'divergence' | 'newest' | 'decisions'>;
  /** The run that left the region to return to. */
  leftBy: string;
}

/** `failback`: a switchover to the region that a move has left, once the writer has what only that region had. */
export function compileFailback(input: CompileFailback): Plan {
  const { topology, pointer, to, recoveryPoint, merge, leftBy } = input;
  const from = pointer.writer;
  const plan = moveOf(input, {
    operation: 'failback',
    fence: [
      ...fenceByAgreement({
        topology,
        from,
        to,
        after: merged,
        unfinishedJobs: unfinishedJobs(recoveryPoint),
        earlier: recoveryPoint.ref,
      }),
      ...bringOver({ writer: from, returning: to, ...merge }),
    ],
    fenced: fencedByAgreement,
    more: settle(to),
    notes: [],
  });
  // Files that nobody has edited since have their own bytes again.
  const steps = plan.steps.map((step) =>
    step.action === 'rewriteConfigs' ? { ...step, input: { ...step.input, backFrom: leftBy } } : step,
  );
  return { ...plan, steps };
}

interface Move {
  operation: Plan['operation'];
  fence: StepDraft[];
  fenced: readonly Requirement[];
  /** Absent: a step of the fence seals it. */
  restores?: RecoveryPointSummary;
  /** Besides what the strategies say. */
  more?: StepDraft[];
  notes: string[];
}

function moveOf(input: CompileMove, { operation, fence, fenced, restores, more = [], notes }: Move): Plan {
  const { topology, pointer, to, acceptedLosses = [], unattended = false } = input;
  const from = pointer.writer;
  const move = { topology, from, to, ...(restores ? { recoveryPoint: restores } : {}), fenced };
  const steps = [
    ...fence,
    ...readmit(to),
    ...phases
      .filter((phase) => phase !== 'fence')
      .flatMap((phase) =>
        resourceClasses.flatMap((name) => strategyOf(topology, name)[phase]({ ...move, class: name })),
      ),
    ...more,
  ];
  const given: Fact[] = restores ? ['recovery-point'] : [];
  return {
    operation,
    topology: topology.name,
    bundle: input.bundle,
    from,
    to,
    madeInEpoch: pointer.epoch.number,
    steps: compose(withGates(steps, topology, { unattended }), { from, to, policies: topology.policies, given }),
    ...(acceptedLosses.length > 0 ? { acceptedLosses: [...acceptedLosses] } : {}),
    notes: [...acceptedLosses.map(({ what }) => `Accepted as lost: ${what}.`), ...notesOf(input, restores), ...notes],
  };
}

function notesOf(
  { topology, recoveryPoint, pointer: { writer: from } }: CompileMove,
  restores: RecoveryPointSummary | undefined,
): string[] {
  const notes: string[] = [];
  if (recoveryPoint.region !== from) {
    notes.push(`The recovery point is of ${recoveryPoint.region}, but ${from} is the writer.`);
  }
  if (restores && recoveryPoint.fuzzy > 0)
    notes.push(`${recoveryPoint.fuzzy} assets changed while they were copied (fuzzy).`);
  if (!topology.traffic?.frontDoor && recoveryPoint.endpoints.length > 0) {
    notes.push('No traffic front is declared: clients of the endpoints must change their address themselves.');
  }
  if (topology.probes.length === 0)
    notes.push('No probes are declared: nothing proves that clients reach the standby.');
  if (topology.configs.length === 0) notes.push('No config files are declared: none is rewritten.');
  return notes;
}

/** `replicate`: takes a recovery point now. It has steps, but no phases. */
export function compileReplicate(input: CompileInput): Plan {
  const { pointer, to } = input;
  const from = pointer.writer;
  const drafts = [
    ...scrub(),
    ...takeRecoveryPoint({ from, to, after: ['replicas.scrubbed'] }),
    ...mirrorState(to),
    ...reportDamage(),
  ];
  return withoutPhases(input, 'replicate', drafts);
}

/**
 * `reprotect`: makes the region that the last move has left a standby again. `isPinned`: its divergence point is sealed
 * already, by a run that did not come to its end.
 */
export function compileReprotect(input: CompileInput & { isPinned: boolean }): Plan {
  const { topology, pointer, to, isPinned } = input;
  const from = pointer.writer;
  const drafts = [
    ...(isPinned ? [] : takeDivergencePoint({ old: to, writer: from })),
    ...readmitAsStandby({ topology, old: to, after: ['divergence-point'] }),
    ...takeRecoveryPoint({ from, to, after: ['target.readmitted'] }),
    ...mirrorState(to),
    ...useStandby(to),
    ...endReprotect(to),
  ];
  return withoutPhases(input, 'reprotect', drafts, isPinned ? ['divergence-point'] : []);
}

/** `resubmit`: the named jobs go on in the writer's own workspace. */
export function compileResubmit(input: CompileInput & { jobs: readonly unknown[] }): Plan {
  const { pointer, jobs } = input;
  const title = `Resubmit ${showCount(jobs.length, 'job')} in ${pointer.writer}`;
  const draft = draftsOf(undefined, 'training');
  return withoutPhases(input, 'resubmit', [
    draft(['resubmit', 'resubmitHere', title], [], ['jobs.resubmitted'], { input: { jobs } }),
  ]);
}

function withoutPhases(
  { topology, pointer, to, bundle }: CompileInput,
  operation: Plan['operation'],
  drafts: StepDraft[],
  given: Fact[] = [],
): Plan {
  const from = pointer.writer;
  return {
    operation,
    topology: topology.name,
    bundle,
    from,
    to,
    madeInEpoch: pointer.epoch.number,
    steps: compose(drafts, { from, to, policies: topology.policies, given }),
    notes: [],
  };
}
