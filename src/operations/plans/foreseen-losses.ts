/** What a failover from a recovery point would lose, or leave for people: known before anything moves. */
import type { ControlStore } from '../../control-store/store.ts';
import { drainingOf } from '../../drain/drain-policy.ts';
import { classify, type Classification } from '../../jobs/classify.ts';
import { notACluster } from '../../provision/compute-kinds.ts';
import { leftBehindUncounted } from '../../recovery-point/drafts.ts';
import type { OpenRecoveryPoint } from '../../recovery-point/manifest.ts';
import { unfinishedJobs } from '../../plan/recovery-point-summary.ts';
import { readLedger, readPart } from '../../recovery-point/recovery-point.ts';
import { showCount } from '../../topology/figures.ts';
import type { Topology } from '../../topology/topology.ts';
import { showJob, type RawJob } from '../../workspace/jobs/job.ts';

/** More jobs than these are counted by the report only: a person waits for the plan. */
const mostJobs = 2000;
/** How many jobs of one decision are named. */
const named = 5;

/** Lines for a person. */
export interface Foreseen {
  /** What would be lost, or left for people. */
  losses: string[];
  /** What a switchover would wait for. */
  warnings: string[];
}

interface Planned {
  topology: Topology;
  now: Date;
  /** Whether the move drains the jobs first. */
  drains: boolean;
}

/** Errors: RecoveryPointError. */
export async function foreseenLosses(
  store: ControlStore,
  point: OpenRecoveryPoint,
  planned: Planned,
): Promise<Foreseen> {
  const { sealed } = point;
  const jobs = await ofJobs(store, point, planned);
  return {
    losses: [
      ...leftBehindUncounted(sealed.leftBehind),
      ...sealed.summary.computes
        .filter(({ type }) => type !== 'AmlCompute')
        .map(({ name, type }) => `compute ${name} is not made: ${notACluster(type)}`),
      ...jobs.losses,
    ],
    warnings: jobs.warnings,
  };
}

async function ofJobs(
  store: ControlStore,
  point: OpenRecoveryPoint,
  { topology, now, drains }: Planned,
): Promise<Foreseen> {
  const all = unfinishedJobs(point.sealed.summary);
  if (all === 0) return { losses: [], warnings: [] };
  if (all > mostJobs) {
    const line = `${all} unfinished jobs: too many to decide about one by one here; the report lists them`;
    return { losses: [line], warnings: [] };
  }
  const specs = new Map<string, RawJob>();
  for await (const job of readPart(store, point.sealed, 'raw-jobs')) specs.set(job.name, job);
  const found = new Map<string, { decision: Classification; jobs: string[] }>();
  const waited: string[] = [];
  for await (const entry of readLedger(store, point)) {
    const spec = specs.get(entry.name);
    if (!spec) continue;
    const draining = drains ? drainingOf(spec, entry, topology.jobs) : 'cancel';
    if (draining === 'end') waited.push(showJob(entry));
    // It writes a checkpoint first.
    if (draining !== 'cancel') continue;
    const goneSince = now.toISOString();
    const decision = classify({ entry, spec, policy: topology.jobs, goneSince, old: { is: 'unseen' } });
    if (decision.class === 'resubmit' || decision.class === 'skip') continue;
    const key = `${decision.class}/${decision.group}`;
    const same = found.get(key) ?? { decision, jobs: [] };
    same.jobs.push(showJob(entry));
    found.set(key, same);
  }
  return {
    losses: [...found.values()].map(({ decision, jobs }) => lineOf(decision, jobs, all)),
    warnings: waited.length === 0 ? [] : [lineOfWaited(waited, all, topology.jobs.drain)],
  };
}

function lineOfWaited(jobs: string[], all: number, { deadline, afterDeadline }: Topology['jobs']['drain']): string {
  const then = afterDeadline === 'cancel' ? 'they are cancelled, and start again or go on' : 'a person decides';
  return (
    `${jobs.length} of ${showCount(all, 'unfinished job')} would be waited for until they end, for at most ${deadline}; ` +
    `then ${then} (jobs.drain): ${nameSome(jobs)}`
  );
}

function lineOf({ class: what, group }: Classification, jobs: string[], all: number): string {
  const become = what === 'restart' ? 'would start again from the beginning' : 'would be left for people';
  return `${jobs.length} of ${showCount(all, 'unfinished job')} ${become} (${group}): ${nameSome(jobs)}`;
}

function nameSome(jobs: string[]): string {
  return `${jobs.slice(0, named).join(', ')}${jobs.length > named ? `, and ${jobs.length - named} more` : ''}`;
}
