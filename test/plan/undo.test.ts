/** The plan that takes a run back: what was done, newest first. */
import { describe, expect, it } from 'vitest';
import { actionNames, actionOf, isUndoable } from '../../src/plan/actions.ts';
import { compileFailover } from '../../src/plan/compile.ts';
import { compileUndo, type DoneStep } from '../../src/plan/undo.ts';
import { Plan } from '../../src/plan/plan.ts';
import { compileInput, recoveryPoint } from './inputs.ts';

const plan = compileFailover({ ...compileInput(), recoveryPoint: recoveryPoint() });
const at = (minute: number) => `2026-11-21T10:0${minute}:00.000Z`;
const pointer = 'fence/platform/pointer';
const intake = 'fence/platform/intake';
const writers = 'fence/platform/writers';
const undo = (...records: DoneStep[]) => compileUndo(plan, 'd'.repeat(64), records);
const idsOf = ({ steps }: Plan) => steps.map(({ id }) => id);

describe('an undo plan', () => {
  it('takes back the newest first, one after the other', () => {
    const compiled = undo(
      { step: writers, state: 'completed', endedAt: at(2) },
      { step: pointer, state: 'completed', endedAt: at(1) },
      { step: intake, state: 'owed', endedAt: at(3) },
    );
    expect(compiled.steps.map(({ id, needs }) => [id, needs])).toEqual([
      [intake, []],
      [writers, [intake]],
      [pointer, [writers]],
    ]);
    expect(compiled).toMatchObject({ undoes: 'd'.repeat(64), from: plan.from, to: plan.to, notes: [] });
    expect(compiled.steps.at(-1)?.title).toBe('Undo: Take the region pointer for westus3 with a new epoch');
    expect(Plan.parse(compiled)).toEqual(compiled);
  });

  it('of steps that ended at once takes back the later in the plan first', () => {
    const ended = [pointer, intake, writers].map((step) => ({ step, state: 'completed', endedAt: at(1) }));
    expect(idsOf(undo(...ended))).toEqual([writers, intake, pointer]);
  });

  it('takes what was broken off for the newest, if it may have changed anything', () => {
    const before = { step: pointer, state: 'completed', endedAt: at(1) };
    expect(idsOf(undo(before, { step: intake, state: 'running', undo: { was: 1 } }))).toEqual([intake, pointer]);
    expect(idsOf(undo(before, { step: intake, state: 'running' }))).toEqual([pointer]);
    expect(idsOf(undo(before, { step: intake, state: 'failed', endedAt: at(2) }))).toEqual([pointer]);
  });

  it('leaves what was skipped, is undone, or cannot be undone', () => {
    const records: DoneStep[] = [
      { step: pointer, state: 'undone', endedAt: at(1) },
      { step: intake, state: 'skipped', endedAt: at(1) },
      { step: writers, state: 'undo-failed', endedAt: at(1) },
      { step: 'fence/platform/jobs', state: 'completed', endedAt: at(1) },
    ];
    expect(idsOf(undo(...records))).toEqual([writers]);
    expect(idsOf(undo())).toEqual([]);
  });

  it('is the same whatever the order of the journal', () => {
    const records = [pointer, intake, writers].map((step, n) => ({
      step,
      state: 'completed',
      endedAt: at(n),
    }));
    expect(undo(...records.toReversed())).toEqual(undo(...records));
  });
});

it('an action is undone, only reads, or says what of it stays', () => {
  for (const name of actionNames) {
    const { undo: kind } = actionOf(name);
    expect(isUndoable(name)).toBe(kind === 'undone' || (typeof kind === 'object' && 'butFor' in kind));
    if (typeof kind === 'object') expect(Object.values(kind)).not.toContain('');
  }
});
