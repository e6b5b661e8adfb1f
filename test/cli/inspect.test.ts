/** What `runs` prints. */
import picocolors from 'picocolors';
import { expect, it } from 'vitest';
import { showRuns } from '../../src/cli/commands/inspect.ts';
import { listNewestRuns } from '../../src/operations/runs/list-runs.ts';
import type { Session } from '../../src/operations/session.ts';
import { changeRun, openRun } from '../../src/run/journal.ts';
import { fakeControlStore } from '../fakes/control-store.ts';

const plain = picocolors.createColors(false);

const run = (runId: string) => ({
  runId,
  topology: 'fraud-ml',
  operation: 'replicate' as const,
  bundle: 'b',
  reason: 'a schedule',
  triggeredBy: 'cron',
  triggeredAt: '2026-11-21T10:00:00.000Z',
});

it('runs, newest first, a damaged one in its place', async () => {
  const store = fakeControlStore();
  for (const runId of ['1', '2', '3']) {
    await openRun(store, run(runId));
    await changeRun(store, runId, { state: 'completed' });
  }
  await store.write('runs/2/run.json', '{"version":2,"state":"none"}', 'application/json');
  const newest = (limit: number) => listNewestRuns({ store } as unknown as Session, limit);
  const { runs, isCut } = await newest(Infinity);
  expect(isCut).toBe(false);
  expect(runs).toEqual([
    { ...run('3'), state: 'completed' },
    { runId: '2', damaged: expect.stringContaining('runs/2/run.json') as string },
    { ...run('1'), state: 'completed' },
  ]);
  expect(showRuns(runs, plain).split('\n')).toEqual([
    '3  not planned  completed  (2026-11-21T10:00:00.000Z; cron: a schedule)',
    expect.stringMatching(/^2 {2}DAMAGED: .*runs\/2\/run\.json/),
    '1  not planned  completed  (2026-11-21T10:00:00.000Z; cron: a schedule)',
  ]);
  expect(showRuns([], plain)).toBe('no runs yet');
  // No more than were asked for, a damaged one counted, and whether there are more.
  expect(await newest(2)).toEqual({ runs: runs.slice(0, 2), isCut: true });
  expect(await newest(3)).toEqual({ runs, isCut: false });
});
