import { describe, expect, it } from 'vitest';
import { isDefect, isUnderstudyError, messageOf, UnderstudyError, type ErrorCode } from '../../src/errors/error.ts';

describe('an error', () => {
  it.each([
    ['TopologyError', false, 2],
    ['UsageError', false, 2],
    ['ConfigError', false, 1],
    ['AzureError', false, 1],
    ['AzureUnavailable', true, 1],
    ['CredentialError', false, 1],
    ['FencedError', false, 1],
    ['ControlStoreError', false, 1],
    ['RecoveryPointError', false, 1],
    ['ReconciliationError', false, 1],
    ['PreconditionError', false, 1],
    ['NotYetError', true, 1],
    ['TemporalError', true, 1],
    ['NothingToDo', false, 0],
    ['Declined', false, 3],
  ] satisfies [ErrorCode, boolean, number][])('%s: retryable %s, exit code %i', (code, retryable, exitCode) => {
    const error = new UnderstudyError(code, 'what happened', { next: 'do this' });
    expect(error).toMatchObject({ name: code, code, retryable, exitCode, message: 'what happened' });
    expect(error.details.next).toBe('do this');
    expect(isUnderstudyError(error, code)).toBe(true);
    expect(isUnderstudyError(error, code === 'Declined' ? 'UsageError' : 'Declined')).toBe(false);
  });

  it('keeps its cause', () => {
    const cause = new Error('socket hang up');
    expect(new UnderstudyError('AzureUnavailable', 'no answer', { cause }).cause).toBe(cause);
    expect('cause' in new UnderstudyError('AzureUnavailable', 'no answer')).toBe(false);
  });

  it('is a defect where the program is wrong, not the world', () => {
    expect([new TypeError('x'), new RangeError('x'), new ReferenceError('x')].every(isDefect)).toBe(true);
    expect([new Error('x'), new UnderstudyError('AzureError', 'x'), 'x'].some(isDefect)).toBe(false);
  });

  it('says one line, whatever was thrown', () => {
    expect(messageOf(new Error('a'))).toBe('a');
    expect(messageOf('b')).toBe('b');
  });
});
