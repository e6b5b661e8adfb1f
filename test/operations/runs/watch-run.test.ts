/** A person who watches a run of which nothing is heard is told so, what to do, and again while it lasts. */
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import type { RunHandle } from '../../../src/client/runs.ts';
import { watchRun, type Watcher } from '../../../src/operations/runs/watch-run.ts';
import type { Session } from '../../../src/operations/session.ts';
import { fakeControlStore } from '../../fakes/control-store.ts';

beforeEach(() => vi.useFakeTimers({ toFake: ['Date'] }));
afterEach(() => vi.useRealTimers());

it('says that no worker answers, and says it again each minute', async () => {
  const lines: string[] = [];
  const watcher: Watcher = { update: () => undefined, print: (line) => lines.push(line) };
  const handle = {
    query: () => Promise.reject(new Error('no worker answers')),
    describe: () => Promise.resolve({ status: { name: 'RUNNING' }, raw: {} }),
  } as unknown as RunHandle;
  const session = { store: fakeControlStore() } as unknown as Session;
  const leaving = new AbortController();
  const watched = watchRun(session, { runId: 'r-1', handle, started: true }, watcher, leaving.signal);
  const later = async (seconds: number, heard: number) => {
    vi.setSystemTime(Date.now() + seconds * 1000);
    await vi.waitFor(() => expect(lines).toHaveLength(heard), { timeout: 5000 });
    // It is not said again at the next look.
    await delay(1000);
    expect(lines).toHaveLength(heard);
  };
  await delay(500);
  await later(5, 1);
  await later(61, 2);
  leaving.abort();
  expect(await watched).toMatchObject({ state: 'left' });
  expect(lines[0]).toMatch(
    /^nothing is heard of the run \(no worker answers\): it waits until an "understudy worker" runs/,
  );
  expect(lines[0]).toContain('"understudy cancel r-1" ends it');
});
