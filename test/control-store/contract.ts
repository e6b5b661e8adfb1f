/** What every control store promises: run on the one in memory, and on blobs. */
import { beforeEach, describe, expect, it } from 'vitest';
import {
  assertEpoch,
  ensurePointer,
  holdWriterLease,
  movePointer,
  readPointerIfAny,
  putPointer,
  readPointer,
  releaseWriterLease,
} from '../../src/control-store/region-pointer.ts';
import type { ControlStore } from '../../src/control-store/store.ts';
import { isUnderstudyError, UnderstudyError, type ErrorCode } from '../../src/errors/error.ts';
import { changeRun, openRun } from '../../src/run/journal.ts';
import { findOpenRun, holdRunLease, readRunLease, releaseRunLease, takeRunLease } from '../../src/run/lease.ts';
import { firstPointer, takeOver } from '../../src/topology/pointer.ts';
import { topologyOf } from '../topology/minimal.ts';

const now = new Date('2026-11-21T10:00:00.000Z');
const t0 = now.getTime();

async function codeOf(work: Promise<unknown>): Promise<ErrorCode | undefined> {
  try {
    await work;
    return undefined;
  } catch (error) {
    if (error instanceof UnderstudyError) return error.code;
    throw error;
  }
}

async function namesOf(store: ControlStore, prefix: string): Promise<string[]> {
  return Array.fromAsync(store.list(prefix));
}

/** `open` answers an empty store. */
export function controlStoreContract(open: () => Promise<ControlStore>): void {
  let store: ControlStore;
  beforeEach(async () => {
    store = await open();
  });

  describe('documents', () => {
    it('are undefined where there are none', async () => {
      expect(await store.read('nothing.json')).toBeUndefined();
      expect(await store.readText('nothing.json')).toBeUndefined();
    });

    it('are made once: the second to make one is told no, and changes nothing', async () => {
      expect(await store.swap('a.json', { by: 'one' }, undefined)).toBe(true);
      expect(await store.swap('a.json', { by: 'two' }, undefined)).toBe(false);
      expect((await store.read('a.json'))?.value).toEqual({ by: 'one' });
    });

    it('are changed only by who has seen the last change', async () => {
      await store.swap('a.json', { n: 1 }, undefined);
      const seen = await store.read('a.json');
      expect(await store.swap('a.json', { n: 2 }, seen?.etag)).toBe(true);
      expect(await store.swap('a.json', { n: 3 }, seen?.etag)).toBe(false);
      const after = await store.read('a.json');
      expect(after?.value).toEqual({ n: 2 });
      expect(after?.etag).not.toBe(seen?.etag);
    });

    it('that are gone, or never were, are not changed', async () => {
      await store.swap('a.json', { n: 1 }, undefined);
      const etag = (await store.read('a.json'))?.etag;
      expect(await store.swap('b.json', { n: 2 }, etag)).toBe(false);
      expect(await store.read('b.json')).toBeUndefined();
    });

    it('that hold already what is to be written were written', async () => {
      await store.swap('a.json', { x: 1, y: [1, { b: 2, a: 1 }] }, undefined);
      expect(await store.swap('a.json', { y: [1, { a: 1, b: 2 }], x: 1 }, undefined)).toBe(true);
    });

    it('are written with sorted keys', async () => {
      await store.swap('a.json', { b: 1, a: { d: 1, c: [{ f: 1, e: 2 }] } }, undefined);
      expect(await store.readText('a.json')).toBe('{"a":{"c":[{"e":2,"f":1}],"d":1},"b":1}');
    });

    it('take any text and any bytes, and the last write stands', async () => {
      await store.write('report.html', '<p>first</p>', 'text/html');
      await store.write('report.html', Buffer.from('<p>größer ✓</p>'), 'text/html');
      expect(await store.readText('report.html')).toBe('<p>größer ✓</p>');
    });

    it('that are no JSON say which one', async () => {
      await store.write('a.json', '{"cut": ', 'application/json');
      await expect(store.read('a.json')).rejects.toSatisfy(
        (error) => isUnderstudyError(error, 'ControlStoreError') && error.message.includes('a.json'),
      );
    });

    it('let exactly one of many at once through', async () => {
      await store.swap('a.json', { by: -1 }, undefined);
      const etag = (await store.read('a.json'))?.etag;
      const won = await Promise.all(Array.from({ length: 8 }, (_, by) => store.swap('a.json', { by }, etag)));
      expect(won.filter(Boolean)).toHaveLength(1);
      expect((await store.read<{ by: number }>('a.json'))?.value.by).toBe(won.indexOf(true));
    });
  });

  describe('sealed documents', () => {
    it('are found by their digest, whatever the order of keys', async () => {
      const digest = await store.seal('plans', { b: 1, a: [1, 2] });
      expect(digest).toMatch(/^[0-9a-f]{64}$/);
      expect(await store.seal('plans', { a: [1, 2], b: 1 })).toBe(digest);
      expect(await namesOf(store, 'plans/')).toEqual([`plans/${digest}.json`]);
      expect(await store.open('plans', digest)).toEqual({ a: [1, 2], b: 1 });
    });

    it.each([
      ['altered', (text: string) => text.replace('1', '7')],
      ['cut short', (text: string) => text.slice(0, -3)],
      ['empty', () => ''],
    ])('that were %s are refused', async (_what, change) => {
      const digest = await store.seal('plans', { steps: [1, 2, 3] });
      const name = `plans/${digest}.json`;
      await store.write(name, change((await store.readText(name)) ?? ''), 'application/json');
      await expect(store.open('plans', digest)).rejects.toSatisfy(
        (error) => isUnderstudyError(error, 'ControlStoreError') && error.message.includes(digest),
      );
    });

    it('that are missing are refused', async () => {
      expect(await codeOf(store.open('plans', 'f'.repeat(64)))).toBe('ControlStoreError');
    });
  });

  describe('a list', () => {
    it('has the names below a prefix, in order, and no others', async () => {
      const names = ['runs/b/run.json', 'runs/a/steps/x.y.json', 'runs/a/run.json', 'runs-old/a', 'plans/1.json'];
      for (const name of names) await store.write(name, '{}', 'application/json');
      expect(await namesOf(store, 'runs/')).toEqual(['runs/a/run.json', 'runs/a/steps/x.y.json', 'runs/b/run.json']);
      expect(await namesOf(store, 'runs')).toHaveLength(4);
      expect(await namesOf(store, 'nothing/')).toEqual([]);
    });

    it('of folders has each once, in order, however much is in it', async () => {
      const names = ['runs/b/run.json', 'runs/a/steps/x.json', 'runs/a/run.json', 'runs/list.json', 'runs-old/a'];
      for (const name of names) await store.write(name, '{}', 'application/json');
      const foldersOf = (prefix: string) => Array.fromAsync(store.folders(prefix));
      expect(await foldersOf('runs/')).toEqual(['runs/a/', 'runs/b/']);
      expect(await foldersOf('runs/b')).toEqual(['runs/b/']);
      expect(await foldersOf('runs')).toEqual(['runs-old/', 'runs/']);
      expect(await foldersOf('nothing/')).toEqual([]);
    });
  });

  describe('the region pointer', () => {
    const topology = topologyOf();
    const first = { topology, who: 'test', now };

    it('is made on first use, and not by looking', async () => {
      expect(await readPointerIfAny(store)).toBeUndefined();
      const seen = await readPointer(store, { ...first, who: 'replicate' });
      expect(seen).toMatchObject({ writer: 'eastus', epoch: { number: 1 }, changedBy: 'replicate' });
      expect(await namesOf(store, '')).toEqual([]);
      expect(await ensurePointer(store, { ...first, who: 'replicate' })).toEqual(seen);
      expect((await readPointerIfAny(store))?.value).toEqual(seen);
      const later = { topology, who: 'other', now: new Date(t0 + 1) };
      expect(await readPointer(store, later)).toEqual(seen);
      expect(await ensurePointer(store, later)).toEqual(seen);
    });

    it('is the same for all that make it at once', async () => {
      const made = await Promise.all(['a', 'b', 'c'].map((who) => ensurePointer(store, { ...first, who })));
      const there = (await readPointerIfAny(store))?.value;
      for (const each of made) expect(each).toEqual(there);
    });

    it.each([
      'epochs/1/recovery-points/x/sealed.json',
      'debts/eastus/jobs.json',
      'ledger/job-1.json',
      'runs/r/steps/fence.platform.pointer.json',
    ])('that was lost does not begin again where %s shows that there was one', async (trace) => {
      await store.write(trace, '{}', 'application/json');
      for (const work of [
        () => readPointer(store, first),
        () => ensurePointer(store, first),
        () => movePointer(store, (pointer) => pointer),
      ])
        await expect(work()).rejects.toMatchObject({
          code: 'ControlStoreError',
          message: expect.stringContaining(`it has "${trace}"`),
          details: { next: expect.stringContaining('understudy restore-pointer') },
        });
      expect(await readPointerIfAny(store)).toBeUndefined();
    });

    it('begins where there are only plans, and a run that has not begun', async () => {
      for (const name of ['plans/1.json', 'bundles/1.json', 'runs/r/run.json', 'run-lease.json'])
        await store.write(name, '{}', 'application/json');
      expect(await ensurePointer(store, first)).toMatchObject({ writer: 'eastus' });
    });

    it('is put back only where there is none', async () => {
      expect(await putPointer(store, firstPointer('eastus', 'restore', now))).toBe(true);
      expect(await putPointer(store, firstPointer('westus3', 'restore', now))).toBe(false);
      expect((await readPointerIfAny(store))?.value.writer).toBe('eastus');
    });

    it('cannot be moved where there is none', async () => {
      expect(await codeOf(movePointer(store, (pointer) => pointer))).toBe('ControlStoreError');
    });

    it('rises by one for each of many takeovers at once', async () => {
      await ensurePointer(store, first);
      const taken = await Promise.all(
        Array.from({ length: 6 }, (_, index) =>
          movePointer(store, (found) => takeOver(found, index % 2 ? 'eastus' : 'westus3', `run-${index}`, now, 0)),
        ),
      );
      expect(new Set(taken.map(({ epoch }) => epoch.number))).toEqual(new Set([2, 3, 4, 5, 6, 7]));
      expect((await readPointerIfAny(store))?.value.epoch.number).toBe(7);
    });

    it('is taken by one of two that planned in the same epoch; the other is fenced', async () => {
      await ensurePointer(store, first);
      const race = await Promise.allSettled(
        ['run-a', 'run-b', 'run-c'].map((run) =>
          movePointer(store, (found) => {
            if (found.changedBy === run) return undefined;
            assertEpoch(found, 1);
            return takeOver(found, 'westus3', run, now, 0);
          }),
        ),
      );
      expect(race.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
      for (const each of race) {
        if (each.status === 'rejected') expect(isUnderstudyError(each.reason, 'FencedError')).toBe(true);
      }
      expect((await readPointerIfAny(store))?.value.epoch.number).toBe(2);
    });
  });

  describe('the writer lease', () => {
    const ask = (change: Partial<Parameters<typeof holdWriterLease>[1]> = {}) =>
      holdWriterLease(store, { holder: 'one', epoch: 1, ttlMs: 30_000, skewMs: 5000, now: t0, ...change });
    const lease = async () => (await readPointerIfAny(store))?.value.lease;
    beforeEach(() => ensurePointer(store, { topology: topologyOf(), who: 'test', now }));

    it('is held by one, and renewed when a third of it is gone', async () => {
      await ask();
      expect(await lease()).toEqual({ holder: 'one', expiresAt: t0 + 30_000 });
      await ask({ now: t0 + 9000 });
      expect((await lease())?.expiresAt).toBe(t0 + 30_000);
      await ask({ now: t0 + 11_000 });
      expect((await lease())?.expiresAt).toBe(t0 + 41_000);
    });

    it('is refused to another until it has run out, and the clocks may differ', async () => {
      await ask();
      expect(await codeOf(ask({ holder: 'two', now: t0 + 34_999 }))).toBe('FencedError');
      await ask({ holder: 'two', now: t0 + 35_000 });
      expect((await lease())?.holder).toBe('two');
      expect(await codeOf(ask({ holder: 'one', now: t0 + 35_001 }))).toBe('FencedError');
    });

    it('ends with its epoch', async () => {
      await ask();
      await movePointer(store, (found) => takeOver(found, 'westus3', 'run-1', now, 5000));
      expect(await codeOf(ask())).toBe('FencedError');
      expect(await lease()).toBeUndefined();
    });

    it('of a new epoch begins only when no writer of the old one can believe in its own', async () => {
      await ask();
      await movePointer(store, (found) => takeOver(found, 'westus3', 'run-1', now, 5000));
      const next = { holder: 'two', epoch: 2 };
      await expect(ask({ ...next, now: t0 + 34_000 })).rejects.toSatisfy(
        (error) => isUnderstudyError(error, 'NotYetError') && error.details.retryAfterSeconds === 1,
      );
      await ask({ ...next, now: t0 + 35_000 });
      expect((await lease())?.holder).toBe('two');
    });

    it('is given back by its holder, and by nobody else', async () => {
      await ask();
      await releaseWriterLease(store, 'two');
      expect((await lease())?.holder).toBe('one');
      await releaseWriterLease(store, 'one');
      expect(await lease()).toBeUndefined();
      await ask({ holder: 'two', now: t0 + 1 });
    });
  });

  describe('the run lease', () => {
    const take = (runId = 'run-1', at = t0) => takeRunLease(store, { runId, now: new Date(at) });
    const ask = (change: Partial<Parameters<typeof holdRunLease>[1]> = {}) =>
      holdRunLease(store, { runId: 'run-1', holder: 'wf-1', ttlMs: 60_000, now: t0, ...change });
    const release = (change: Partial<Parameters<typeof releaseRunLease>[1]> = {}) =>
      releaseRunLease(store, { runId: 'run-1', holder: 'wf-1', ended: true, ...change });
    const write = (runId = 'run-1') =>
      openRun(store, {
        runId,
        topology: 'fraud-ml',
        operation: 'failover',
        bundle: 'b',
        reason: 'test',
        triggeredBy: 'someone',
        triggeredAt: now.toISOString(),
      });

    it('lets one of several doors in, and names the one that is in to the others', async () => {
      const names = ['run-a', 'run-b', 'run-c'];
      const answers = await Promise.all(names.map((name) => take(name)));
      expect(answers.filter((open) => open === undefined)).toHaveLength(1);
      const inside = names[answers.indexOf(undefined)];
      for (const open of answers) if (open) expect(open).toEqual({ runId: inside });
      expect(await take(inside)).toBeUndefined();
    });

    it('excludes a second run until the first ends, however long that takes', async () => {
      await take();
      await write();
      await ask();
      const late = t0 + 86_400_000;
      expect(await take('run-2', late)).toMatchObject({ runId: 'run-1', run: { state: 'pending' } });
      expect(await findOpenRun(store, new Date(late))).toMatchObject({ runId: 'run-1' });
      for (const takeOver of [false, true])
        expect(await codeOf(ask({ runId: 'run-2', holder: 'wf-2', now: late, takeOver }))).toBe('FencedError');
      await release();
      expect(await findOpenRun(store, new Date(late))).toBeUndefined();
      expect(await take('run-2', late)).toBeUndefined();
      await ask({ runId: 'run-2', holder: 'wf-2', now: late });
      expect(await readRunLease(store)).toEqual({
        runId: 'run-2',
        holder: 'wf-2',
        expiresAt: late + 60_000,
      });
    });

    it('stays with a run that failed: it is open until it is retried or cancelled', async () => {
      await take();
      await write();
      await ask();
      await changeRun(store, 'run-1', { state: 'failed' });
      await release({ ended: false });
      expect(await take('run-2', t0 + 86_400_000)).toMatchObject({ run: { state: 'failed' } });
      await ask({ holder: 'wf-2', takeOver: true });
      expect(await readRunLease(store)).toMatchObject({ runId: 'run-1', holder: 'wf-2' });
    });

    it.each(['completed', 'cancelled'] as const)(
      'of a run that is %s can be taken, though nobody gave it back',
      async (state) => {
        await take();
        await write();
        await ask();
        await changeRun(store, 'run-1', { state });
        expect(await take('run-2')).toBeUndefined();
      },
    );

    it('of a run that was never written down runs out', async () => {
      await take();
      expect(await take('run-2', t0 + 59_999)).toEqual({ runId: 'run-1' });
      expect(await take('run-2', t0 + 60_000)).toBeUndefined();
      expect(await codeOf(ask({ now: t0 + 60_001 }))).toBe('FencedError');
    });

    it('is not had by a run that did not come through the door, but by who takes it up', async () => {
      expect(await codeOf(ask())).toBe('FencedError');
      expect(await readRunLease(store)).toBeUndefined();
      await ask({ takeOver: true });
      expect(await readRunLease(store)).toMatchObject({ runId: 'run-1', holder: 'wf-1' });
    });

    it('is renewed by its holder when a third of it is gone', async () => {
      await take();
      await ask();
      await ask({ now: t0 + 19_000 });
      expect((await readRunLease(store))?.expiresAt).toBe(t0 + 60_000);
      await ask({ now: t0 + 21_000 });
      expect((await readRunLease(store))?.expiresAt).toBe(t0 + 81_000);
    });

    it('goes to another execution of the run only if that says so, and the one before is fenced for good', async () => {
      await take();
      await ask();
      expect(await codeOf(ask({ holder: 'wf-2' }))).toBe('FencedError');
      await ask({ holder: 'wf-2', takeOver: true });
      expect(await codeOf(ask())).toBe('FencedError');
      // The successor is paused for longer than the lease lives: the old one does not come back to life.
      expect(await codeOf(ask({ now: t0 + 600_000 }))).toBe('FencedError');
      await ask({ holder: 'wf-2', now: t0 + 600_000 });
    });

    it('goes to one of two executions that ask at once', async () => {
      await take();
      const asked = await Promise.all([codeOf(ask({ holder: 'a' })), codeOf(ask({ holder: 'b' }))]);
      expect(asked.filter((code) => code === undefined)).toHaveLength(1);
      expect(asked.filter((code) => code === 'FencedError')).toHaveLength(1);
    });

    it('ends with its execution; another one cannot end it, and it does not come back', async () => {
      await take();
      await write();
      await ask();
      await release({ holder: 'wf-0' });
      await release({ runId: 'run-2' });
      expect(await take('run-2')).toMatchObject({ runId: 'run-1' });
      await release();
      expect(await codeOf(ask())).toBe('FencedError');
      expect(await take('run-2')).toBeUndefined();
    });

    it('of a run that no execution has begun is given back without a holder', async () => {
      await take();
      await releaseRunLease(store, { runId: 'run-1', ended: true });
      expect(await take('run-2')).toBeUndefined();
    });
  });
}
