/**
 * Evaluation is synchronous and pure; what only the cloud can tell (`reference`, `list*`, a secret) is asked through
 * here. The first time, `ask` throws `Pending`; `settle` fetches the answer and evaluates again, until nothing is
 * pending. So no function of the language, no lambda and no loop has to know that an answer takes time.
 */

import type { Json } from '../../contract/index.ts';
import { LanguageError } from './language-error.ts';
import type { Environment } from './types.ts';

/** An evaluation stopped because this answer is not there yet. */
export class Pending extends Error {
  override readonly name = 'Pending';
  readonly key: string;
  readonly fetch: (environment: Environment) => Promise<Json>;
  constructor(key: string, fetch: (environment: Environment) => Promise<Json>) {
    super(`${key} is known only while deploying`);
    this.key = key;
    this.fetch = fetch;
  }
}

/** Far more than a template needs that Azure would take; as many take a second or two. */
const STEP_LIMIT = 2_000_000;

export class Runtime {
  #steps = 0;
  readonly #answers = new Map<string, { value: Json } | { error: unknown }>();

  /** The answer under `key`, if it was fetched; else throws Pending (or the error that the fetch ended in). */
  ask(key: string, fetch: (environment: Environment) => Promise<Json>): Json {
    const answer = this.#answers.get(key);
    if (answer === undefined) throw new Pending(key, fetch);
    if ('error' in answer) throw answer.error;
    return answer.value;
  }

  /** Counts what is evaluated, so that no template can hold up the cloud. Throws LanguageError beyond the limit. */
  count(steps: number): void {
    this.#steps += steps;
    if (this.#steps <= STEP_LIMIT) return;
    throw new LanguageError(
      `The template language expression evaluation limit of '${STEP_LIMIT}' steps exceeded: it takes too long to evaluate.`,
    );
  }

  async settle<T>(environment: Environment, compute: () => T): Promise<T> {
    for (;;) {
      let pending: Pending;
      // Each answer has everything evaluated again: a body of many references is not a long one.
      this.#steps = 0;
      try {
        return compute();
      } catch (error) {
        if (!(error instanceof Pending)) throw error;
        pending = error;
      }
      // An error is an answer, too: whoever asks gets it thrown, and a preview may live with it.
      try {
        this.#answers.set(pending.key, { value: await pending.fetch(environment) });
      } catch (error) {
        this.#answers.set(pending.key, { error });
      }
    }
  }
}
