/** An error of ours as Temporal's retries understand it: the one place where that is decided. */
import { ApplicationFailure, CancelledFailure } from '@temporalio/activity';
import { describe, expect, it } from 'vitest';
import { asFailure } from '../../activities/failures.ts';
import { UnderstudyError } from '../../src/errors/error.ts';

const open = new AbortController().signal;

async function failureOf(error: unknown, signal = open): Promise<unknown> {
  try {
    return await asFailure(signal, () => {
      throw error;
    });
  } catch (thrown) {
    return thrown;
  }
}

describe('a failure', () => {
  it('answers what the work answers', async () => {
    expect(await asFailure(open, () => Promise.resolve(7))).toBe(7);
  });

  it.each([
    ['what passes', new UnderstudyError('AzureUnavailable', 'no answer'), 'AzureUnavailable', false],
    ['what is not there yet', new UnderstudyError('NotYetError', 'no role'), 'NotYetError', false],
    ['what is refused', new UnderstudyError('AzureError', 'no'), 'AzureError', true],
    ['being fenced', new UnderstudyError('FencedError', 'taken over'), 'FencedError', true],
    ['a fault of the machine', Object.assign(new Error('EMFILE'), { name: 'SystemError' }), 'SystemError', false],
    ['a defect', new RangeError('counts do not reconcile'), 'RangeError', true],
    ['no error at all', 'thrown text', 'Error', false],
  ])('of %s', async (_what, error, type, nonRetryable) => {
    const failure = await failureOf(error);
    expect(failure).toBeInstanceOf(ApplicationFailure);
    expect(failure).toMatchObject({
      type,
      nonRetryable,
      message: error instanceof Error ? error.message : error,
    });
  });

  it('waits as long as Azure asked for', async () => {
    const error = new UnderstudyError('AzureUnavailable', 'slower', { retryAfterSeconds: 17 });
    expect(await failureOf(error)).toMatchObject({ nextRetryDelay: '17s', nonRetryable: false });
  });

  it('carries neither cause nor details into the history', async () => {
    const cause = new Error('canary-secret');
    const failure = await failureOf(new UnderstudyError('AzureError', 'refused', { cause, place: 'canary-place' }));
    expect(JSON.stringify(failure, Object.getOwnPropertyNames(failure))).not.toContain('canary');
    expect((failure as Error).cause).toBeUndefined();
  });

  it('of a cancelled step is its cancellation, whatever was thrown', async () => {
    const controller = new AbortController();
    controller.abort();
    expect(await failureOf(new UnderstudyError('AzureError', 'x'), controller.signal)).toBeInstanceOf(CancelledFailure);
  });
});
