/** What a switchover does with one unfinished job before it moves. Pure. */
import { classify } from '../jobs/classify.ts';
import type { LedgerEntry } from '../ledger/ledger.ts';
import type { Topology } from '../topology/topology.ts';
import { outputPlace, takesCheckpoint } from '../workspace/jobs/checkpoint.ts';
import type { RawJob } from '../workspace/jobs/job.ts';

/**
 * `cancel`: at once, and its successor starts where it is. `checkpoint`: once it has written one. `end`: it ends by
 * itself.
 */
export type Draining = 'cancel' | 'checkpoint' | 'end';

/** Statuses in which a job has computed nothing yet. */
const notBegun = new Set(['notstarted', 'queued', 'preparing', 'provisioning', 'starting']);

/**
 * Returns what a job is waited for. One that has computed nothing loses nothing if it is cancelled, as long as it gets
 * a successor; one of which a person decides, or that takes no checkpoint, is left to end.
 */
export function drainingOf(job: RawJob, entry: LedgerEntry, jobs: Topology['jobs']): Draining {
  const { policy } = jobs.drain;
  if (policy === 'cancel') return 'cancel';
  const at = entry.lastSeenAt;
  const { class: after } = classify({ entry, spec: job, policy: jobs, goneSince: at, old: { is: 'cancelled', at } });
  const goesOn = after === 'resubmit' || after === 'restart';
  if (goesOn && notBegun.has(entry.status.toLowerCase())) return 'cancel';
  if (policy === 'wait' || !goesOn) return 'end';
  const asks = takesCheckpoint(job, jobs.checkpoint) && outputPlace(job, jobs.checkpoint.output) !== undefined;
  return asks ? 'checkpoint' : 'end';
}
