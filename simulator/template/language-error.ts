/** Errors of the template language, in Azure's words. */

import { ArmError } from '../provider.ts';

/** What is wrong with an expression, before anyone knows where it stands. Turned into an ArmError by `placed`. */
export class LanguageError extends Error {
  override readonly name = 'LanguageError';
}

/** An ArmError 400 InvalidTemplate about the template's shape. */
export function invalidTemplate(problem: string): ArmError {
  return new ArmError(400, 'InvalidTemplate', `Deployment template validation failed: '${problem}'.`);
}

/**
 * Runs `work`; a LanguageError becomes an InvalidTemplate that names what was evaluated and where it stands.
 * `what`: "resource '/subscriptions/…'", "output 'x'"; `path`: '/resources/0/properties/y'.
 */
export function placed<T>(what: string, path: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    // A RangeError: too deep for the stack, or a text longer than there can be.
    if (!(error instanceof LanguageError || error instanceof RangeError)) throw error;
    const problem = error instanceof LanguageError ? error.message : `too deep or too long: ${error.message}`;
    throw new ArmError(
      400,
      'InvalidTemplate',
      `Unable to process template language expressions for ${what} at '${path}'. '${problem}'`,
      { target: path },
    );
  }
}
