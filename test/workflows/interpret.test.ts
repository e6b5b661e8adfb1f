/** The interpreter: a step begins when what it needs has ended as it must. */
import { describe, expect, it } from 'vitest';
import type { PlanStep } from '../../src/run/begin-run.ts';
import { interpretPlan, type Ended } from '../../workflows/interpret.ts';

function step(id: string, needs: string[] = [], unowed?: string[]): PlanStep {
  return {
    id,
    class: 'data',
    action: 'listActive',
    title: id,
    needs,
    undoable: false,
    ...(unowed ? { unowed } : {}),
  };
}

/** What was executed, and what was held up by which steps. */
async function interpret(steps: PlanStep[], ends: Record<string, Ended> = {}) {
  const executed: string[] = [];
  const held: Record<string, string[]> = {};
  await interpretPlan(steps, {
    mayStart: () => Promise.resolve(true),
    execute: ({ id }) => {
      executed.push(id);
      return Promise.resolve(ends[id] ?? 'done');
    },
    heldUp: ({ id }, missing) => {
      held[id] = missing;
      return false;
    },
  });
  return { executed, held };
}

describe('a step', () => {
  it('begins when what it needs is done, in whatever order they stand', async () => {
    const { executed, held } = await interpret([step('a'), step('b', ['a']), step('c', ['a', 'b'])]);
    expect(executed).toEqual(['a', 'b', 'c']);
    expect(held).toEqual({});
  });

  it('is held up by what is not done, and so is what needs it', async () => {
    const { executed, held } = await interpret([step('a'), step('b', ['a']), step('c', ['b']), step('d')], {
      a: 'not done',
    });
    expect(executed).toEqual(['a', 'd']);
    expect(held).toEqual({ b: ['a'], c: ['b'] });
  });

  it('begins though what it needs is owed, unless that must not be owed', async () => {
    const steps = [step('intake'), step('serve', ['intake']), step('move', ['intake'], ['intake'])];
    const { executed, held } = await interpret(steps, { intake: 'owed' });
    expect(executed).toEqual(['intake', 'serve']);
    expect(held).toEqual({ move: ['intake'] });
  });
});
