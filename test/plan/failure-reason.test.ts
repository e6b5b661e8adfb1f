/** Why a run failed, in one line: the first failure and how many more there are, however long their texts. */
import { expect, it } from 'vitest';
import { cutReason, firstFailure } from '../../src/plan/failure-reason.ts';

it('is the failure itself where there is one', () => {
  expect(firstFailure(['a: no quota'])).toBe('a: no quota');
});

it('is the first failure, and how many more steps failed', () => {
  expect(firstFailure(['a: no quota', 'b: x'])).toBe('a: no quota; and 1 more step failed');
  expect(firstFailure(['a: no quota', 'b: x', 'c: y'])).toBe('a: no quota; and 2 more steps failed');
});

it('fits a line, and keeps how many more there are', () => {
  const reason = firstFailure(Array.from({ length: 12 }, (_, index) => `step-${index}: ${'why '.repeat(200)}`));
  expect(reason.length).toBeLessThanOrEqual(300);
  expect(reason).toMatch(/ …; and 11 more steps failed$/);
  expect(cutReason('x'.repeat(301))).toHaveLength(300);
});
