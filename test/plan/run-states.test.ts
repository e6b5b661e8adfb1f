import { describe, expect, it } from 'vitest';
import { isOpen, isOver, mayMove, type RunState } from '../../src/plan/run-states.ts';
import { hostQueue, taskQueue } from '../../src/plan/queues.ts';

const states: RunState[] = ['pending', 'running', 'waiting', 'undoing', 'completed', 'failed', 'cancelled'];

describe('the states of a run', () => {
  it('move as the table says, and no other way', () => {
    const legal = states.flatMap((from) =>
      states.filter((to) => from !== to && mayMove(from, to)).map((to) => `${from} → ${to}`),
    );
    expect(legal).toEqual([
      'pending → running',
      'pending → undoing',
      'pending → failed',
      'pending → cancelled',
      'running → waiting',
      'running → undoing',
      'running → completed',
      'running → failed',
      'running → cancelled',
      'waiting → running',
      'waiting → undoing',
      'waiting → failed',
      'waiting → cancelled',
      'undoing → failed',
      'undoing → cancelled',
      'failed → running',
      'failed → undoing',
      'failed → cancelled',
    ]);
  });

  it('stay where they are, so that saying it twice is saying it once', () => {
    for (const state of states) expect(mayMove(state, state)).toBe(true);
  });

  it('are over when nothing more will happen by itself', () => {
    expect(states.filter(isOver)).toEqual(['completed', 'failed', 'cancelled']);
  });

  it('keep others from beginning until a run is completed or cancelled: one that failed is half-way', () => {
    expect(states.filter((state) => !isOpen(state))).toEqual(['completed', 'cancelled']);
  });
});

it('every host has a queue of its own', () => {
  expect(new Set([taskQueue, hostQueue('a'), hostQueue('b')]).size).toBe(3);
});
