/** What `runs` prints. */
import { expect, it } from 'vitest';
import { cutTo, runsAsJson, showRuns } from '../../src/cli/commands/inspect.ts';
import { UnderstudyError } from '../../src/errors/error.ts';
import type { RunList } from '../../src/run/journal.ts';

const run = (runId: string): RunList['runs'][number] => ({
  runId,
  topology: 'fraud-ml',
  operation: 'replicate',
  bundle: 'b',
  reason: 'a schedule',
  triggeredBy: 'cron',
  triggeredAt: '2026-11-21T10:00:00.000Z',
  state: 'completed',
});

const error = new UnderstudyError('ControlStoreError', 'run "runs/2/run.json": state: Invalid option');
const list: RunList = { runs: [run('3'), run('1')], damaged: [{ runId: '2', error }] };

it('runs, newest first, a damaged one in its place', () => {
  expect(showRuns({ runs: [], damaged: [] })).toBe('no runs yet');
  expect(showRuns(list).split('\n')).toEqual([
    '3  not planned  completed  (2026-11-21T10:00:00.000Z; cron: a schedule)',
    '2  DAMAGED: run "runs/2/run.json": state: Invalid option',
    '1  not planned  completed  (2026-11-21T10:00:00.000Z; cron: a schedule)',
  ]);
  expect(JSON.parse(runsAsJson(list))).toEqual([
    run('3'),
    { runId: '2', damaged: 'run "runs/2/run.json": state: Invalid option' },
    run('1'),
  ]);
});

it('no more than were asked for, a damaged one counted, and whether there are more', () => {
  expect(cutTo(list, 2)).toEqual({ list: { runs: [run('3')], damaged: list.damaged }, isCut: true });
  expect(cutTo(list, 3)).toEqual({ list, isCut: false });
  expect(cutTo(list, Infinity)).toEqual({ list, isCut: false });
});
