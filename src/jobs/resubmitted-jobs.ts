/** The records of a resubmission: parts in the control store, each written once, and their totals. */
import { createHash } from 'node:crypto';
import { reconcile, type Counts, type Evidence, type StepResult } from '../run/work/outcome.ts';
import type { StepContext } from '../run/work/step-context.ts';
import { toSeconds } from '../topology/duration.ts';
import { parseJobRecords, type JobRecord } from './job-record.ts';
import { lossOf } from './loss-lines.ts';

const linesOfLoss = 20;

/** Collects the records of a resubmission. */
export class ResubmittedJobs {
  readonly tally: Tally;
  readonly #context: StepContext;
  readonly #total: number;
  #parts = 0;
  #pending: JobRecord[] = [];

  constructor(context: StepContext, total: number) {
    const { rpo } = context.topology.objectives.training ?? {};
    this.tally = new Tally(rpo === undefined ? Infinity : toSeconds(rpo) * 1000);
    this.#context = context;
    this.#total = total;
  }

  /**
   * Reads what an earlier attempt has written. Returns records by job name.
   * Errors: ControlStoreError if a part is damaged.
   */
  async writtenBefore(): Promise<Map<string, JobRecord>> {
    const { batches = 0 } = (this.#context.cursor ?? {}) as { batches?: number };
    const before = new Map<string, JobRecord>();
    while (this.#parts < batches) {
      const part = this.#name(this.#parts);
      const found = await this.#context.store.read<unknown>(part);
      if (!found) break;
      const records = parseJobRecords(found.value, part);
      for (const record of records) before.set(record.old, record);
      await this.#write(records);
    }
    return before;
  }

  /**
   * Sends a heartbeat. `done`: number of jobs processed beyond those that were added. Each heartbeat includes the
   * cursor, because only the last one is kept.
   */
  say(done = 0): Promise<void> {
    return this.#context.checkpoint({
      unit: 'jobs',
      done: this.tally.records + this.#pending.length + done,
      total: this.#total,
      cursor: { batches: this.#parts },
    });
  }

  /** Adds records, and writes them once there are `least` of them. */
  async add(records: readonly JobRecord[], least: number): Promise<void> {
    this.#pending.push(...records);
    if (this.#pending.length === 0 || this.#pending.length < least) return;
    await this.#write(this.#pending.splice(0));
    await this.say();
  }

  async #write(records: JobRecord[]): Promise<void> {
    const blob = this.#name(this.#parts);
    const text = JSON.stringify(records);
    await this.#context.store.write(blob, text, 'application/json');
    this.#parts += 1;
    const digest = createHash('sha256').update(text).digest('hex');
    this.tally.add(records, { kind: 'jobs', blob, digest });
  }

  #name(part: number): string {
    return `runs/${this.#context.run.runId}/evidence/jobs-${String(part + 1).padStart(4, '0')}.json`;
  }
}

class Tally {
  records = 0;
  readonly #evidence: Evidence[] = [];
  readonly #done = { resumed: 0, restarted: 0 };
  readonly #files = { expected: 0, done: 0 };
  readonly #skipped = new Map<string, number>();
  readonly #owed = new Map<string, number>();
  readonly #failed = new Map<string, number>();
  /** Jobs that may run twice, or not at all, are listed first. */
  readonly #lostFirst: string[] = [];
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
      else raise(this.#groupsOf(record.outcome), groupOf(record));
      this.#files.expected += record.files?.expected ?? 0;
      this.#files.done += record.files?.done ?? 0;
      const line = lossOf(record, this.#rpoMs);
      const lines = record.outcome === 'owed' ? this.#lostFirst : this.#lost;
      if (line !== undefined && lines.length < linesOfLoss) lines.push(line);
      else if (line !== undefined) this.#lostMore++;
    }
  }

  #groupsOf(outcome: JobRecord['outcome']): Map<string, number> {
    if (outcome === 'failed') return this.#failed;
    return outcome === 'owed' ? this.#owed : this.#skipped;
  }

  result(expected: number, from: string): StepResult {
    const { resumed, restarted } = this.#done;
    const counts: Counts = reconcile({
      kind: 'jobs',
      expected,
      done: resumed + restarted,
      skipped: [...reasons(this.#skipped), ...reasons(this.#owed)],
      failed: reasons(this.#failed),
    });
    const more = this.#lostMore === 0 ? [] : [`and ${this.#lostMore} more jobs: see the list of jobs`];
    return {
      state: this.#owed.size > 0 ? 'owed' : 'completed',
      detail: this.#detail(expected, from),
      counts: [counts, ...this.#filesCounted()],
      evidence: this.#evidence,
      lost: [...this.#lostFirst, ...this.#lost, ...more],
      facts: { resumed, restarted },
    };
  }

  #filesCounted(): Counts[] {
    const { expected, done } = this.#files;
    const failed = expected === done ? [] : [{ reason: 'not restored: see the job', count: expected - done }];
    return expected === 0 ? [] : [reconcile({ kind: 'checkpoint files', expected, done, skipped: [], failed })];
  }

  #detail(expected: number, from: string): string {
    const { resumed, restarted } = this.#done;
    const sum = (groups: Map<string, number>) => [...groups.values()].reduce((total, count) => total + count, 0);
    const parts = [
      `${resumed + restarted} of ${expected} jobs resubmitted (${resumed} from a checkpoint, ${restarted} from the beginning)`,
      ...(this.#skipped.size > 0 ? [`${sum(this.#skipped)} not resubmitted for a reason`] : []),
      ...(this.#owed.size > 0 ? [`${sum(this.#owed)} owed: ${from} has not confirmed that they ended`] : []),
      ...(this.#failed.size > 0 ? [`${sum(this.#failed)} failed`] : []),
    ];
    return parts.join(', ');
  }
}

function groupOf({ class: jobClass, group, outcome }: JobRecord): string {
  if (outcome === 'owed') return `owed: ${group}`;
  return jobClass === 'manual' && outcome === 'skipped' ? `left for a person: ${group}` : group;
}

function raise(groups: Map<string, number>, group: string): void {
  groups.set(group, (groups.get(group) ?? 0) + 1);
}

function reasons(groups: Map<string, number>): { reason: string; count: number }[] {
  return [...groups].map(([reason, count]) => ({ reason, count })).toSorted((a, b) => (a.reason < b.reason ? -1 : 1));
}
