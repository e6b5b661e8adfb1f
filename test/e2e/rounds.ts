/**
 * Rounds of moves in which the region that is left stops answering, or answers again, in a chosen phase. All rounds of a
 * test share one stack: each moves the workspace to the other region, reprotects the region that it left, and is judged.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { expect } from 'vitest';
import { seededRandom } from '../../simulator/clock/random.ts';
import type { Resource } from './azure-reader.ts';
import type { Scene } from './harness.ts';
import {
  journals,
  judgeAssets,
  judgeTraffic,
  movedClients,
  originalClients,
  pointerOf,
  readClients,
  readControlStore,
  readRegion,
  type Journal,
  type Region,
} from './judge.ts';
import { judgeSides, lineageOf, ofPeople, openDatastore, unfinishedOf } from './judge-sides.ts';
import { seed } from './moments.ts';
import type { Workspace } from './workspaces.ts';

/** A part of a move in which something happens to the region that is left. */
export interface Part {
  /** A phase, or a step of the fence (`fence/drain`): what PHASE names. */
  name: string;
  /** How the id of a step of it begins. */
  step: string;
  /** It happens at most so long after that step has begun. */
  withinMs: number;
}

/**
 * Which parts a test run tries: `asked` (or `usual`) of them, in an order that the seed decides; by PHASE, those alone
 * whose name begins so, each once unless more are asked for.
 */
export function drawParts<P extends Part>(
  all: P[],
  { asked, usual }: { asked: string | undefined; usual: number },
): P[] {
  const { PHASE: wanted } = process.env;
  const found = all.filter(({ name }) => wanted === undefined || name.startsWith(wanted));
  if (found.length === 0)
    throw new Error(`PHASE: expected one of ${all.map(({ name }) => name).join(', ')}, got "${wanted}"`);
  const random = seededRandom(seed);
  const drawn = found
    .map((part) => ({ part, at: random() }))
    .toSorted((a, b) => a.at - b.at)
    .map(({ part }) => part);
  const times = Number(asked ?? (wanted === undefined ? usual : drawn.length));
  return Array.from({ length: times }, (_, index) => drawn[index % drawn.length]).filter((part) => part !== undefined);
}

export class Round {
  readonly #scene: Scene;
  readonly #random: () => number;
  readonly from: Region;
  readonly to: Region;
  /** The active workspace before the move. */
  readonly #before: Workspace;
  readonly #epoch: number;
  /** An environment that came after the last recovery point but that of a switchover. */
  readonly #late: string;
  /** How the region does not answer. */
  readonly mode: 'dark' | 'hang';
  /** For messages of failures. */
  when: string;
  /** When it answered again (milliseconds since 1970). */
  #answeredAt = Infinity;
  /** Jobs that the region, which answered again just then, has not confirmed to have ended: for people to submit. */
  #owed: string[] = [];

  private constructor(
    scene: Scene,
    index: number,
    before: Workspace,
    { writer, epoch }: { writer: Region; epoch: number },
  ) {
    this.#scene = scene;
    this.#random = seededRandom(seed * 100 + index);
    this.from = writer;
    this.to = writer === 'eastus' ? 'westus3' : 'eastus';
    this.#before = before;
    this.#epoch = epoch;
    this.#late = `environments/late-${index}/1`;
    this.mode = this.#random() < 0.7 ? 'dark' : 'hang';
    this.when = `seed ${seed}, round ${index}, ${this.from} ${this.mode}`;
  }

  static async begin(scene: Scene, index: number): Promise<Round> {
    const { writer, epoch } = pointerOf(await readControlStore(scene));
    const before = await readRegion(scene.azure, writer);
    const properties = { image: 'python:3.11' };
    await scene.azure.put(`${before.id}/environments/late-${index}/versions/1`, { properties });
    return new Round(scene, index, before, { writer, epoch: epoch.number });
  }

  /** Returns at a moment in that part of the move that is under way. */
  async reach({ name, step, withinMs }: Part): Promise<void> {
    const id = await this.#scene.step(step, 120);
    const afterMs = Math.floor(this.#random() * withinMs);
    this.when += ` in ${name}, ${afterMs} ms after ${id} began`;
    await delay(afterMs);
  }

  /** Some time, at least so long. */
  async pause(leastMs: number, mostMs: number): Promise<void> {
    await delay(leastMs + this.#random() * (mostMs - leastMs));
  }

  async silence(): Promise<void> {
    await this.#scene.outage(this.from, this.mode);
  }

  async answer(): Promise<void> {
    await this.#scene.outage(this.from, 'none');
    this.#answeredAt = Date.now();
  }

  /** Judges the move that is over, while the region that it left answers again and has not been reprotected. */
  async judgeMove(operation: 'switchover' | 'failover'): Promise<void> {
    const { when, from, to } = this;
    const documents = await readControlStore(this.#scene);
    const run = journals(documents, operation).at(-1);
    if (!run) throw new Error(`${when}: no run is in the journal`);
    expect(run.run, when).toMatchObject({ state: 'completed' });
    for (const { step, state } of run.steps.values())
      expect(['completed', 'skipped', 'owed'], `${when}: ${step}`).toContain(state);
    const units = ['platform', 'data', 'training', 'inference'];
    const pointer = pointerOf(documents);
    expect(pointer, when).toMatchObject({
      epoch: { number: this.#epoch + 1 },
      writer: to,
      serving: Object.fromEntries(units.map((unit) => [unit, { [to]: 100 }])),
    });
    const { jobs } = await this.#judgeCounts(run);
    this.#owed = jobs.filter(({ outcome }) => outcome === 'owed').map(({ old }) => old);
    const owes = isOwed(documents, from, 'intake');
    const switchedAt = Date.parse(run.steps.get('switch/training/schedules')?.startedAt ?? '');
    if (this.#answeredAt < switchedAt) expect(owes, `${when}: schedules of ${from}`).toBe(false);
    // Until the region is reprotected, a request may be there that a superseded switchover has made.
    const asks = run.run.supersedes !== undefined;
    const sides = await judgeSides(this.#scene, to, when, { owes, asks });
    this.#judgeSuccessors(sides.writer);
    await this.#judgeAssets(sides.writer, hasSealed(documents));
    await judgeTraffic(this.#scene, to);
    const clients = to === 'westus3' ? movedClients : originalClients;
    expect(await readClients(this.#scene), when).toEqual(await clients(this.#scene));
  }

  /** Reprotects the region that was left, and judges that nothing runs on there, and nothing is owed. */
  async reprotect(): Promise<void> {
    const { when, from, to } = this;
    const scene = this.#scene;
    const ranOn = unfinishedOf(await readRegion(scene.azure, from)).map(({ name }) => name);
    const { code, output } = await scene.run(['reprotect']);
    expect(code, `${when}: ${output}`).toBe(0);
    const run = journals(await readControlStore(scene), 'reprotect').at(-1);
    if (!run) throw new Error(`${when}: no reprotection is in the journal`);
    const { findings } = await this.#judgeCounts(run);
    const named = findings.filter(({ step }) => step === 'zombies').map(({ what }) => what);
    for (const name of ranOn) expect(named.join('\n'), `${when}: named in the report`).toContain(`"${name}"`);
    const { writer, other } = await judgeSides(scene, to, `${when}, reprotected`);
    this.#judgeSuccessors(writer);
    expect(unfinishedOf(other), when).toEqual([]);
    await openDatastore(scene, other, when);
    const status = await scene.run(['status']);
    expect(status.output, when).not.toMatch(/^OWED/m);
    expect(status.output, when).not.toMatch(/reprotect/);
  }

  /** Of each job that was interrupted one successor, and none of a person's, or of one that may run on. */
  #judgeSuccessors(writer: Workspace): void {
    for (const job of unfinishedOf(this.#before)) {
      const { root, hop } = lineageOf(job);
      const successors = [...writer.jobs.values()].filter((each) => {
        const found = lineageOf(each);
        return found.root === root && found.hop === hop + 1;
      });
      const isLeft = ofPeople.includes(job.name) || this.#owed.includes(job.name);
      expect(successors.length, `${this.when}: successors of ${job.name}`).toBe(isLeft ? 0 : 1);
    }
  }

  /** What came after the recovery point is not there, and the merge names it; all the rest is. */
  async #judgeAssets(writer: Workspace, isLateSealed: boolean): Promise<void> {
    const isLate = ([key]: [string, Resource]) => key.startsWith('environments/late-');
    const withoutLate = (side: Workspace) => ({
      ...side,
      versions: new Map([...side.versions].filter((each) => !isLate(each))),
    });
    // By now the keys of its storage are others.
    const left = await readRegion(this.#scene.azure, this.from);
    await judgeAssets(withoutLate({ ...left, versions: this.#before.versions }), withoutLate(writer));
    expect(writer.versions.has(this.#late), `${this.when}: what came last`).toBe(isLateSealed);
  }

  /** Every row adds up. */
  async #judgeCounts({ run: { runId } }: Journal): Promise<Report> {
    const { document } = await this.#scene.document(['report', runId]);
    const report = document as Report;
    const sum = (parts: { count: number }[]) => parts.reduce((total, { count }) => total + count, 0);
    for (const { kind, expected, done, skipped, failed } of report.counts) {
      expect(done + sum(skipped) + sum(failed), `${this.when}: ${kind}`).toBe(expected);
      expect(sum(failed), `${this.when}: ${kind}`).toBe(0);
    }
    return report;
  }
}

interface Report {
  counts: {
    kind: string;
    expected: number;
    done: number;
    skipped: { count: number }[];
    failed: { count: number }[];
  }[];
  findings: { step: string; what: string }[];
  jobs: { old: string; outcome: string }[];
}

function isOwed(documents: Map<string, string>, region: Region, kind: string): boolean {
  const text = documents.get(`debts/${region}/${kind}.json`);
  return text !== undefined && (JSON.parse(text) as { paidAt?: string }).paidAt === undefined;
}

/** Whether the last switchover has sealed its recovery point. */
function hasSealed(documents: Map<string, string>): boolean {
  return journals(documents, 'switchover').at(-1)?.steps.get('fence/platform/seal')?.state === 'completed';
}
