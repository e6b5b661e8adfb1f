/** What a failover from a recovery point would lose, or leave for people: known before anything moves. */
import type { ControlStore } from '../../control-store/store.ts';
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

/** One line each, for a person. Errors: RecoveryPointError. */
export async function foreseenLosses(
  store: ControlStore,
  point: OpenRecoveryPoint,
  { topology, now }: { topology: Topology; now: Date },
): Promise<string[]> {
  const { sealed } = point;
  return [
    ...leftBehindUncounted(sealed.leftBehind),
    ...sealed.summary.computes
      .filter(({ type }) => type !== 'AmlCompute')
      .map(({ name, type }) => `compute ${name} is not made: ${notACluster(type)}`),
    ...(await ofJobs(store, point, { topology, now })),
  ];
}

async function ofJobs(
  store: ControlStore,
  point: OpenRecoveryPoint,
  { topology, now }: { topology: Topology; now: Date },
): Promise<string[]> {
  const all = unfinishedJobs(point.sealed.summary);
  if (all === 0) return [];
  if (all > mostJobs)
    return [`${all} unfinished jobs: too many to decide about one by one here; the report lists them`];
  const specs = new Map<string, RawJob>();
  for await (const job of readPart(store, point.sealed, 'raw-jobs')) specs.set(job.name, job);
  const found = new Map<string, { decision: Classification; jobs: string[] }>();
  for await (const entry of readLedger(store, point)) {
    const spec = specs.get(entry.name);
    if (!spec) continue;
    const goneSince = now.toISOString();
    const decision = classify({ entry, spec, policy: topology.jobs, goneSince, old: { is: 'unseen' } });
    if (decision.class === 'resubmit' || decision.class === 'skip') continue;
    const key = `${decision.class}/${decision.group}`;
    const same = found.get(key) ?? { decision, jobs: [] };
    same.jobs.push(showJob(entry));
    found.set(key, same);
  }
  return [...found.values()].map(({ decision, jobs }) => lineOf(decision, jobs, all));
}

function lineOf({ class: what, group }: Classification, jobs: string[], all: number): string {
  const more = jobs.length > named ? `, and ${jobs.length - named} more` : '';
  const become = what === 'restart' ? 'would start again from the beginning' : 'would be left for people';
  return `${jobs.length} of ${showCount(all, 'unfinished job')} ${become} (${group}): ${jobs.slice(0, named).join(', ')}${more}`;
}
