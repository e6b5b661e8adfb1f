/** Questions to the person at the terminal; interrupting one declines. */
import { createInterface, type Interface } from 'node:readline/promises';
import { UnderstudyError } from '../errors/error.ts';
import type { Output } from './output.ts';

/**
 * Asks, and closes the terminal whatever happens. Throws Declined on Ctrl-C or the end of input: nothing has changed by
 * then.
 */
export async function ask<T>(
  { stream, say }: Pick<Output, 'stream' | 'say'>,
  questions: (terminal: Interface) => Promise<T>,
): Promise<T> {
  const terminal = createInterface({ input: process.stdin, output: stream });
  try {
    return await questions(terminal);
  } catch (error) {
    if ((error as Error).name !== 'AbortError') throw error;
    say(''); // the question's line is still open
    throw new UnderstudyError('Declined', 'declined: nothing was changed');
  } finally {
    terminal.close();
  }
}

/** Throws Declined unless the person types `expected`. */
export async function requireWord(terminal: Interface, question: string, expected: string): Promise<void> {
  const answer = (await terminal.question(question)).trim();
  if (answer === expected) return;
  throw new UnderstudyError('Declined', `declined: expected "${expected}", got "${answer}": nothing was changed`);
}

/** Asks why something is done. `obligatory`: asks until there is an answer; otherwise the answer may be empty. */
export async function askReason(
  terminal: Pick<Interface, 'question'>,
  { obligatory }: { obligatory: boolean },
): Promise<string> {
  for (let hint = ''; ; hint = 'A loss is not accepted without a reason. ') {
    const answer = (await terminal.question(`${hint}Why? (it stands in the report) `)).trim();
    if (answer !== '' || !obligatory) return answer;
  }
}
