import { describe, expect, it } from 'vitest';
import {
  endedEarly,
  valuesIn,
  type Trial,
} from '../../../simulator/machinelearning/execution/children/early-termination.ts';
import type { JsonObject } from '../../../simulator/contract/index.ts';

const trials = (reports: Record<string, number[]>): Trial[] =>
  Object.entries(reports).map(([name, values]) => ({ name, isRunning: name !== 'ended', values }));

describe('a policy of early termination', () => {
  it.each<[string, JsonObject, string, Record<string, number[]>, string[]]>([
    // The example of Azure's documents: at interval 10 the best has 0.8, and all below 0.66 end.
    [
      'a share of the best',
      { policyType: 'Bandit', slackFactor: 0.2, evaluationInterval: 1 },
      'Maximize',
      { ended: [0.8], good: [0.67], bad: [0.66] },
      ['bad'],
    ],
    [
      'a share of the least',
      { policyType: 'Bandit', slackFactor: 0.5 },
      'Minimize',
      { a: [2], b: [3], c: [3.1] },
      ['c'],
    ],
    ['an amount', { policyType: 'Bandit', slackAmount: 1 }, 'Minimize', { a: [2, 1], b: [2.5, 2], c: [9, 2.5] }, ['c']],
    [
      'no sooner than its delay, and at its intervals',
      { policyType: 'Bandit', slackAmount: 0.1, evaluationInterval: 2, delayEvaluation: 4 },
      'Maximize',
      { a: [9, 9, 9, 9, 9], early: [1, 1, 1], late: [1, 1, 1, 1], recovered: [1, 1, 1, 9, 1] },
      ['late'],
    ],
    [
      'the median of averages',
      { policyType: 'MedianStopping' },
      'Maximize',
      { a: [1, 3], b: [2, 4], c: [1, 1] },
      ['c'],
    ],
    [
      'a share of all',
      { policyType: 'TruncationSelection', truncationPercentage: 50 },
      'Maximize',
      { a: [4], b: [3], c: [2], ended: [1] },
      ['c'],
    ],
    [
      'nothing of those that are alike',
      { policyType: 'TruncationSelection', truncationPercentage: 50 },
      'Maximize',
      { a: [4], b: [4] },
      [],
    ],
    ['nobody who has reported nothing', { policyType: 'Bandit', slackAmount: 0 }, 'Maximize', { a: [4], b: [] }, []],
  ])('holds trials to %s', (_, policy, goal, reports, ended) => {
    expect(endedEarly(policy, goal, trials(reports))).toEqual(ended);
  });
});

describe('the values of a metric in a log', () => {
  it('are those behind its whole name', () => {
    const log = 'val_loss: 1\nloss: 0.5 lossy=2\nstep 3 loss=-2e-3\n{"loss": 4}\nmy.loss: 7\n';
    expect(valuesIn(log, 'loss')).toEqual([0.5, -0.002, 4]);
  });
});
