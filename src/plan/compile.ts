/**
 * The compiler: topology + recovery point → plan. Pure: the same input gives the same plan, byte for byte. It runs
 * once, before the run. The plan is then stored by its digest and interpreted.
 */
import { UnderstudyError } from '../errors/error.ts';
import { toSeconds } from '../topology/duration.ts';
import { otherRegion } from '../topology/sides.ts';
import type { RegionPointer } from '../topology/pointer.ts';
import type { Topology } from '../topology/topology.ts';
import { phases, resourceClasses, type Phase, type ResourceClass } from '../topology/words.ts';
import { isUndoable, type ActionName } from './actions.ts';
import type { AcceptedLoss, Plan, Step } from './plan.ts';
import type { RecoveryPointSummary } from './recovery-point-summary.ts';
import { hotWarm } from './strategies/hot-warm.ts';
import { timeLimitsOf } from './time-limits.ts';
import { draft, toStep, type StepDraft, type Strategy } from './strategies/strategy.ts';

/** What a plan is compiled from. */
export interface CompileInput {
  topology: Topology;
  bundle: string;
  pointer: RegionPointer;
}

/** What must be done elsewhere before a phase of a class begins, in addition to the class's own order. */
const waits: Partial<Record<`${Phase}/${ResourceClass}`, [Phase, ResourceClass][]>> = {
  'restore/inference': [['restore', 'platform']],
  'restore/training': [
    ['restore', 'platform'],
    ['restore', 'data'],
    ['restore', 'inference'],
  ],
  'restore/data': [['restore', 'platform']],
  'configure/inference': [['configure', 'platform']],
  'switch/data': [['switch', 'platform']],
  'switch/training': [
    ['switch', 'platform'],
    ['switch', 'data'],
  ],
  'switch/inference': [['switch', 'platform']],
};

function strategyOf(topology: Topology, resourceClass: ResourceClass): Strategy {
  const name = topology.strategies[resourceClass];
  if (name === 'hot-warm') return hotWarm;
  throw new UnderstudyError(
    'PreconditionError',
    `strategies.${resourceClass}: "${name}" has no plan for a failover in this version; expected "hot-warm"`,
    { next: `Declare strategies.${resourceClass}: hot-warm.` },
  );
}

/** Compiles the plan of a failover. */
export function compileFailover(
  input: CompileInput & { recoveryPoint: RecoveryPointSummary; acceptedLosses?: readonly AcceptedLoss[] },
): Plan {
  const { topology, pointer, recoveryPoint, acceptedLosses = [] } = input;
  const from = pointer.writer;
  const to = otherRegion(topology, from);
  const steps = fence(from, to, secondsToStop(recoveryPoint, topology));
  const last = new Map<string, string[]>();
  for (const phase of phases.filter((each) => each !== 'fence')) {
    if (phase === 'restore') steps.push(readmit(to, last));
    for (const resourceClass of resourceClasses) {
      const strategy = strategyOf(topology, resourceClass);
      const drafts = strategy[phase]({ topology, from, to, recoveryPoint, class: resourceClass });
      const needs = needsOf(phase, resourceClass, last);
      const { added, ends } = chain(phase, resourceClass, drafts, needs, last);
      steps.push(...added);
      last.set(`${phase}/${resourceClass}`, ends);
    }
  }
  return {
    operation: 'failover',
    topology: topology.name,
    bundle: input.bundle,
    from,
    to,
    recoveryPoint: recoveryPoint.ref,
    madeInEpoch: pointer.epoch.number,
    steps: withTimeLimits(steps, topology),
    ...(acceptedLosses.length > 0 ? { acceptedLosses: [...acceptedLosses] } : {}),
    notes: [
      ...acceptedLosses.map(({ what }) => `Accepted as lost: ${what}.`),
      ...notesOf(topology, recoveryPoint, from),
    ],
  };
}

function withTimeLimits(steps: Step[], { policies }: Topology): Step[] {
  return steps.map((step) => ({ ...step, timeLimits: timeLimitsOf(step.action, policies) }));
}

/**
 * Once, before all classes: check whether the standby can serve; pay what an earlier fence owes in the region that
 * becomes the writer; take the pointer; then fence the old side where it answers, and owe the rest.
 */
function fence(from: string, to: string, expectedSeconds: number): Step[] {
  const step = (name: string, action: ActionName, title: string, needs: string[], more?: Partial<StepDraft>) =>
    toStep('fence', 'platform', draft(name, action, title, more), needs);
  const standby = step('standby', 'checkStandby', `Look at what ${to} needs in order to serve`, []);
  const debts = step('debts', 'payDebtsOfTarget', `Pay what an earlier failover owes in ${to}`, [standby.id]);
  const pointer = step('pointer', 'takePointer', `Take the region pointer for ${to} with a new epoch`, [debts.id]);
  const rest: [string, ActionName, string, Partial<StepDraft>?][] = [
    ['intake', 'stopOldIntake', `Stop the schedules of ${from}, or owe it`],
    ['jobs', 'stopOldJobs', `Cancel the unfinished jobs of ${from}, or owe it`, { expectedSeconds }],
    ['writers', 'shutOutOldWriters', `Rotate keys and remove roles of ${from}'s writers, or owe it`],
  ];
  const beside = rest.map(([name, action, title, more]) => step(name, action, title, [pointer.id], more));
  return [standby, debts, pointer, ...beside];
}

/**
 * Azure allows ten writes a second for each principal in a subscription. If both workspaces are in one subscription,
 * resubmitting jobs uses half of them.
 */
function secondsToStop({ jobs }: RecoveryPointSummary, { regions }: Topology): number {
  const subscriptions = new Set(Object.values(regions).map(({ workspace }) => workspace.subscriptionId));
  const perSecond = subscriptions.size === 1 ? 9.5 / 2 : 9.5;
  return Math.ceil(Object.values(jobs).reduce((sum, each) => sum + each, 0) / perSecond);
}

/**
 * Restores what an earlier fence took from the region, once the pointer is taken and the region's template is deployed,
 * because that may recreate the workspace. Everything that is written there waits for this step.
 */
function readmit(to: string, last: Map<string, string[]>): Step {
  const title = `Give the workspace of ${to} back what an earlier fence took from it`;
  const needs = ['fence/platform/pointer', ...(last.get('provision/platform') ?? [])];
  return toStep('fence', 'platform', draft('readmit', 'readmitWriters', title), needs);
}

/**
 * A phase of a class waits for the class's previous phase and for what `waits` says. `provision` begins at the same
 * time as the fence: it can be undone, and in an outage everyone competes for capacity. Everything after `provision`
 * waits for the pointer, through the readmit step: nothing is written into the standby before the epoch is ours and its
 * workspace can read it.
 */
function needsOf(phase: Phase, resourceClass: ResourceClass, last: Map<string, string[]>): string[] {
  const needs = new Set<string>();
  const before = phases.slice(1, phases.indexOf(phase)).toReversed();
  const own = before.map((each) => last.get(`${each}/${resourceClass}`) ?? []).find((ends) => ends.length > 0);
  for (const id of own ?? []) needs.add(id);
  if (phase === 'provision') {
    // Paying a debt removes roles. The template then assigns those that are needed.
    if (resourceClass === 'platform') needs.add('fence/platform/debts');
    else for (const id of last.get('provision/platform') ?? []) needs.add(id);
    return [...needs];
  }
  needs.add('fence/platform/readmit');
  // Intake and writers of the old side are done or owed before anyone depends on the standby. Its jobs delay nothing: a
  // job's successor is submitted once the job has ended, which the `resume` phase checks.
  if (phase === 'switch') for (const name of ['intake', 'writers']) needs.add(`fence/platform/${name}`);
  for (const [otherPhase, otherClass] of waits[`${phase}/${resourceClass}`] ?? []) {
    for (const id of last.get(`${otherPhase}/${otherClass}`) ?? []) needs.add(id);
  }
  return [...needs];
}

/** The steps of one phase of one class, one after another. Independent steps run at the same time. */
function chain(
  phase: Phase,
  resourceClass: ResourceClass,
  drafts: StepDraft[],
  needs: string[],
  last: Map<string, string[]>,
): { added: Step[]; ends: string[] } {
  const added: Step[] = [];
  let previous = needs;
  for (const each of drafts) {
    const all =
      each.afterAll === undefined ? [] : resourceClasses.flatMap((name) => last.get(`${each.afterAll}/${name}`) ?? []);
    const step = toStep(phase, resourceClass, each, [...new Set([...previous, ...all])]);
    added.push(step);
    if (each.independent !== true) previous = [step.id];
  }
  return { added, ends: added.length === 0 || previous === needs ? [] : previous };
}

function notesOf(topology: Topology, recoveryPoint: RecoveryPointSummary, from: string): string[] {
  const notes: string[] = [];
  if (recoveryPoint.region !== from) {
    notes.push(`The recovery point is of ${recoveryPoint.region}, but ${from} is the writer.`);
  }
  if (recoveryPoint.fuzzy > 0) notes.push(`${recoveryPoint.fuzzy} assets changed while they were copied (fuzzy).`);
  if (!topology.traffic?.frontDoor && recoveryPoint.endpoints.length > 0) {
    notes.push('No traffic front is declared: clients of the endpoints must change their address themselves.');
  }
  const stopping = secondsToStop(recoveryPoint, topology);
  if (stopping > toSeconds(topology.policies.jobStopDeadline)) {
    notes.push(
      `At the rate that Azure takes writes, the jobs of ${from} take ${stopping} s to stop, longer than policies.jobStopDeadline (${topology.policies.jobStopDeadline}): what is left then is owed.`,
    );
  }
  if (topology.probes.length === 0)
    notes.push('No probes are declared: nothing proves that clients reach the standby.');
  if (topology.configs.length === 0) notes.push('No config files are declared: none is rewritten.');
  return notes;
}

/** `replicate`: takes a recovery point now. It has steps, but no phases. */
export function compileReplicate(input: CompileInput): Plan {
  const { topology, pointer } = input;
  const from = pointer.writer;
  const to = otherRegion(topology, from);
  const chainOf: [string, ActionName, string][] = [
    ['pay-debt', 'payFenceDebt', `Pay what the fence owes in ${to}`],
    // Before the listing: damaged copies are not reused, and the time for reading does not count towards the RPO.
    ['scrub', 'scrubReplicas', 'Read a share of the copies, and repair what is damaged'],
    ['list', 'listActive', `List the workspace in ${from}`],
    ['copy', 'copyBlobs', `Copy the blobs that ${to} lacks`],
    ['escrow', 'escrowSecrets', `Put the secrets into ${to}'s escrow vault`],
    // The region may have come back meanwhile.
    ['pay-rest', 'payFenceDebt', `Pay what the fence still owes in ${to}`],
    ['seal', 'sealRecoveryPoint', 'Seal the recovery point'],
    // Last: a recovery point is made whatever the state of older ones.
    ['damage', 'reportDamage', 'Check that no copy is damaged beyond repair'],
  ];
  const steps = chainOf.map(([id, action, title], index): Step => ({
    id,
    class: 'data',
    action,
    title,
    needs: index === 0 ? [] : [chainOf[index - 1]?.[0] ?? ''],
    input: {},
    undoable: isUndoable(action),
  }));
  return {
    operation: 'replicate',
    topology: topology.name,
    bundle: input.bundle,
    from,
    to,
    madeInEpoch: pointer.epoch.number,
    steps: withTimeLimits(steps, topology),
    notes: [],
  };
}
