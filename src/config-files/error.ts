/** The place of a problem in a config file. `line` and `column` count from 1. */
export interface ConfigPlace {
  file: string;
  line?: number;
  column?: number;
}

/**
 * What was found, what was expected, and what a person should do. `found` and `expected` are clauses, `next` is a
 * sentence. None of them quotes the file's content, which may contain secrets.
 */
export interface Diagnosis {
  found: string;
  expected: string;
  next: string;
}

/** A config file, or its working copy, cannot be rewritten as it is. Thrown before anything is written. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  readonly code = 'ConfigError';
  readonly file: string;
  readonly line?: number;
  readonly column?: number;
  readonly diagnosis: Diagnosis;
  /** Other problems that prevent the same target from being rewritten. */
  others: readonly ConfigError[] = [];

  constructor(place: ConfigPlace, diagnosis: Diagnosis, options?: { cause?: unknown }) {
    super(`cannot rewrite config "${showPlace(place)}": ${reasonOf(diagnosis)}`, options);
    this.file = place.file;
    if (place.line !== undefined) this.line = place.line;
    if (place.column !== undefined) this.column = place.column;
    this.diagnosis = diagnosis;
  }

  /** What is wrong and what was expected, without the file and without the advice. */
  get reason(): string {
    return reasonOf(this.diagnosis);
  }
}

function reasonOf({ found, expected }: Diagnosis): string {
  return `${found}; expected ${expected}`;
}

/** Formats a place as `file:line:column`, which editors and terminals can open. */
export function showPlace({ file, line, column }: ConfigPlace): string {
  return [file, line, column].filter((part) => part !== undefined).join(':');
}

/**
 * Runs `work`. A ConfigError is added to `refused` instead of being thrown, so that the problems of all files are
 * reported.
 */
export async function collectRefusals<T>(refused: ConfigError[], work: () => Promise<T>): Promise<T | undefined> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    refused.push(error);
    return undefined;
  }
}

/** Throws the first problem with a target, with the others attached. */
export function throwRefusals(refused: readonly ConfigError[]): void {
  const [first, ...others] = refused;
  if (!first) return;
  first.others = others;
  throw first;
}
