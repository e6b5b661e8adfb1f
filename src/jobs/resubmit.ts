/**
 * Resubmits in the standby what was interrupted in the old workspace: from the plan's recovery point alone, by priority, each job at
 * most once however often the step is killed and run again.
 */
import { createHash } from 'node:crypto';
import type { ArmResource } from '../azure/azure.ts';
import { mapBounded } from '../artifacts/bounded.ts';
import type { AssetLine } from '../artifacts/manifest.ts';
import type { ReferenceMapping } from '../azure/ids.ts';
import { reconcile, type Counts, type Evidence, type StepResult } from '../run/outcome.ts';
import type { StepContext } from '../run/step-context.ts';
import { toSeconds } from '../topology/duration.ts';
import type { Topology } from '../topology/topology.ts';
import type { BringCheckpoint } from './bring-checkpoint.ts';
import type { JobRecord } from './job-record.ts';
import type { LedgerEntry } from './ledger.ts';
import { lossOf } from './loss-lines.ts';
import { resumeJob, type Resumption } from './resume-job.ts';
import { readStandby, sharedDatastores } from './standby.ts';
import type { ReadLedger } from './stop-old-jobs.ts';
import { sightsOf } from './stopped-jobs.ts';
import { findUnrestored } from './unrestored.ts';

/** What is read of the recovery point: nothing here asks the old region. */
export interface ResubmitSources {
  readLedger: ReadLedger;
  /** How references of the old workspace read in the standby. */
  mapping(context: StepContext): Promise<ReferenceMapping>;
  /** The old workspace's datastores. */
  datastores(context: StepContext): AsyncIterable<ArmResource>;
  /** The assets of the recovery point. */
  assets(context: StepContext): AsyncIterable<AssetLine>;
  /** What of the recovery point has lost blobs in the standby, and why. */
  lost(context: StepContext): Promise<ReadonlyMap<string, string>>;
  /** Brings checkpoints of these jobs to the standby; nothing is read before the first is asked for. */
  checkpoints(context: StepContext, entries: readonly LedgerEntry[]): BringCheckpoint;
}

/**
 * How many jobs of one priority are under way side by side. Azure takes about ten writes a second, and a job waits for nine answers,
 * one after the other: with answers that take a third of a second, fewer jobs would leave some of that unused.
 */
const window = 32;
const linesOfLoss = 20;
/** How often work on jobs gives a sign of life, and asks whether the lease still holds. */
const beatMs = 1000;

/** Makes the action `resubmitJobs`. */
export function makeResubmitJobs(sources: ResubmitSources): (context: StepContext) => Promise<StepResult> {
  return async (context) => {
    const { recoveryPoint } = context.plan;
    if (!recoveryPoint)
      return { state: 'skipped', detail: 'the plan has no recovery point, so there is no job to resubmit' };
    const entries = await Array.fromAsync(sources.readLedger(context.store, recoveryPoint));
    if (entries.length === 0) {
      return { state: 'skipped', detail: `no job was unfinished at recovery point ${recoveryPoint.id}` };
    }
    const batches = inBatches(byUrgency(entries, context.topology.jobs), context.topology.policies.jobBatch);
    const resumption = await prepare(context, sources, entries);
    const { rpo } = context.topology.objectives.training ?? {};
    const tally = new Tally(rpo === undefined ? Infinity : toSeconds(rpo) * 1000);
    for (const [index, batch] of batches.entries()) {
      const part = await writtenBefore(context, index);
      // The cursor goes with every sign of progress: only the last one is remembered.
      const say = (done: number, batchesDone: number) =>
        context.checkpoint({
          unit: 'jobs',
          done: tally.records + done,
          total: entries.length,
          cursor: { batches: batchesDone },
        });
      const records = part ?? (await resumeBatch(batch, resumption, (done) => say(done, index)));
      tally.add(records, await writeEvidence(context, index, records));
      await say(0, index + 1);
    }
    return tally.result(entries.length);
  };
}

type Prepared = Omit<Resumption, 'beat'>;

async function prepare(
  context: StepContext,
  sources: ResubmitSources,
  entries: readonly LedgerEntry[],
): Promise<Prepared> {
  const { azure, to, signal, store, run } = context;
  const [mapping, standby, old] = await Promise.all([
    sources.mapping(context),
    readStandby(azure.arm, to.workspace, signal),
    Array.fromAsync(sources.datastores(context)),
  ]);
  const sightOf = await sightsOf(store, run.runId);
  const names = (resources: ArmResource[]) => new Set(resources.map(({ name }) => name.toLowerCase()));
  return {
    context,
    mapping: {
      ...mapping,
      has: { computes: names(standby.computes), datastores: names(standby.datastores) },
    },
    unrestored: await findUnrestored(context, {
      mapping,
      assets: (each) => sources.assets(each),
      lost: (each) => sources.lost(each),
      datastores: old,
    }),
    isShared: sharedDatastores(old, standby.datastores),
    // Of a recovery point of another region, the fence saw nothing.
    sightOf: ({ name, region }) => (region === context.from.region ? sightOf(name) : { saw: 'unseen' }),
    bring: sources.checkpoints(context, entries),
  };
}

/** Most urgent first; among equals what was running, then the oldest. The same order in every attempt. */
function byUrgency(entries: readonly LedgerEntry[], { priority }: Topology['jobs']): LedgerEntry[] {
  const keyed = entries.map((entry) => ({ entry, key: urgency(entry, priority) }));
  return keyed.toSorted((a, b) => compare(a.key, b.key)).map(({ entry }) => entry);
}

type Urgency = [rank: number, waiting: number, createdAt: string, name: string];

function urgency({ priority, status, createdAt, name }: LedgerEntry, order: readonly string[]): Urgency {
  const rank = priority === undefined ? -1 : order.indexOf(priority);
  return [rank < 0 ? order.length : rank, status === 'Running' ? 0 : 1, createdAt ?? '', name];
}

function compare(a: Urgency, b: Urgency): number {
  for (const [index, left] of a.entries()) {
    const right = b[index] ?? '';
    if (left !== right) return left < right ? -1 : 1;
  }
  return 0;
}

/** Batches of at most `size`; none mixes priorities, since the jobs of a batch may overtake each other. */
function inBatches(entries: readonly LedgerEntry[], size: number): LedgerEntry[][] {
  const batches: LedgerEntry[][] = [];
  for (const entry of entries) {
    const last = batches.at(-1);
    if (last && last.length < size && last[0]?.priority === entry.priority) last.push(entry);
    else batches.push([entry]);
  }
  return batches;
}

async function resumeBatch(
  batch: readonly LedgerEntry[],
  prepared: Prepared,
  progress: (done: number) => Promise<void>,
): Promise<JobRecord[]> {
  let done = 0;
  await progress(done);
  const beat = everySecond(() => progress(done));
  return mapBounded(batch, window, async (entry) => {
    // A run that has lost its lease must not submit. What is under way is awaited before the error is thrown on: none goes on
    // submitting behind the back of the next attempt.
    await beat();
    const record = await resumeJob(entry, { ...prepared, beat });
    done += 1;
    return record;
  });
}

/** Once it has failed it fails at once: of jobs side by side, each must learn that the lease is lost. */
function everySecond(beat: () => Promise<void>): () => Promise<void> {
  let last = performance.now();
  let failure: { error: unknown } | undefined;
  return async () => {
    if (failure) throw failure.error;
    if (performance.now() - last < beatMs) return;
    last = performance.now();
    try {
      await beat();
    } catch (error) {
      failure = { error };
      throw error;
    }
  };
}

function evidenceName({ run }: StepContext, index: number): string {
  return `runs/${run.runId}/evidence/jobs-${String(index + 1).padStart(4, '0')}.json`;
}

/** The records of a batch that an earlier attempt finished. */
async function writtenBefore(context: StepContext, index: number): Promise<JobRecord[] | undefined> {
  const { batches } = (context.cursor ?? {}) as { batches?: number };
  if (batches === undefined || index >= batches) return undefined;
  return (await context.store.read<JobRecord[]>(evidenceName(context, index)))?.value;
}

async function writeEvidence(context: StepContext, index: number, records: JobRecord[]): Promise<Evidence> {
  const blob = evidenceName(context, index);
  const text = JSON.stringify(records);
  await context.store.write(blob, text, 'application/json');
  return { kind: 'jobs', blob, digest: createHash('sha256').update(text).digest('hex') };
}

class Tally {
  records = 0;
  readonly #evidence: Evidence[] = [];
  readonly #done = { resumed: 0, restarted: 0 };
  readonly #files = { expected: 0, done: 0 };
  readonly #skipped = new Map<string, number>();
  readonly #failed = new Map<string, number>();
  readonly #lost: string[] = [];
  #lostMore = 0;
  readonly #rpoMs: number;

  constructor(rpoMs: number) {
    this.#rpoMs = rpoMs;
  }

  add(records: readonly JobRecord[], evidence: Evidence): void {
    this.#evidence.push(evidence);
    for (const record of records) {
      this.records++;
      if (record.outcome === 'submitted') this.#done[record.class === 'resubmit' ? 'resumed' : 'restarted']++;
      else raise(record.outcome === 'failed' ? this.#failed : this.#skipped, groupOf(record));
      this.#files.expected += record.files?.expected ?? 0;
      this.#files.done += record.files?.done ?? 0;
      const line = lossOf(record, this.#rpoMs);
      if (line !== undefined && this.#lost.length < linesOfLoss) this.#lost.push(line);
      else if (line !== undefined) this.#lostMore++;
    }
  }

  result(expected: number): StepResult {
    const { resumed, restarted } = this.#done;
    const counts: Counts = reconcile({
      kind: 'jobs',
      expected,
      done: resumed + restarted,
      skipped: reasons(this.#skipped),
      failed: reasons(this.#failed),
    });
    const more = this.#lostMore === 0 ? [] : [`and ${this.#lostMore} more jobs: see the list of jobs`];
    return {
      state: 'completed',
      detail: this.#detail(expected),
      counts: [counts, ...this.#filesCounted()],
      evidence: this.#evidence,
      lost: [...this.#lost, ...more],
      facts: { resumed, restarted },
    };
  }

  #filesCounted(): Counts[] {
    const { expected, done } = this.#files;
    const failed = expected === done ? [] : [{ reason: 'not restored: see the job', count: expected - done }];
    return expected === 0
      ? []
      : [reconcile({ kind: 'checkpoint files', expected, done, skipped: [], failed })];
  }

  #detail(expected: number): string {
    const { resumed, restarted } = this.#done;
    const sum = (groups: Map<string, number>) =>
      [...groups.values()].reduce((total, count) => total + count, 0);
    const parts = [
      `${resumed + restarted} of ${expected} jobs resubmitted (${resumed} from a checkpoint, ${restarted} from the beginning)`,
      ...(this.#skipped.size > 0 ? [`${sum(this.#skipped)} not resubmitted for a reason`] : []),
      ...(this.#failed.size > 0 ? [`${sum(this.#failed)} failed`] : []),
    ];
    return parts.join(', ');
  }
}

function groupOf({ class: jobClass, group, outcome }: JobRecord): string {
  return jobClass === 'manual' && outcome === 'skipped' ? `left for a person: ${group}` : group;
}

function raise(groups: Map<string, number>, group: string): void {
  groups.set(group, (groups.get(group) ?? 0) + 1);
}

function reasons(groups: Map<string, number>): { reason: string; count: number }[] {
  return [...groups]
    .map(([reason, count]) => ({ reason, count }))
    .toSorted((a, b) => (a.reason < b.reason ? -1 : 1));
}
