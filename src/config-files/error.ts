/** Where in a config file something is wrong: `line` and `column` count from 1. */
export interface ConfigPlace {
  file: string;
  line?: number;
  column?: number;
}

/**
 * What is there, what should be instead, and what a person does about it. `found` and `expected` are clauses,
 * `next` is a sentence. None of them quotes the file's content: a config file may hold secrets.
 */
export interface Diagnosis {
  found: string;
  expected: string;
  next: string;
}

/**
 * A config file, or the working copy it lives in, cannot be rewritten as it is. Thrown before anything is
 * written.
 */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  readonly code = 'ConfigError';
  readonly file: string;
  readonly line?: number;
  readonly column?: number;
  readonly diagnosis: Diagnosis;
  /** What else keeps the same target from being rewritten. */
  others: readonly ConfigError[] = [];

  constructor(place: ConfigPlace, diagnosis: Diagnosis, options?: { cause?: unknown }) {
    super(`cannot rewrite config "${showPlace(place)}": ${reasonOf(diagnosis)}`, options);
    this.file = place.file;
    if (place.line !== undefined) this.line = place.line;
    if (place.column !== undefined) this.column = place.column;
    this.diagnosis = diagnosis;
  }

  /** What is wrong and what should be, without the file and without the way out. */
  get reason(): string {
    return reasonOf(this.diagnosis);
  }
}

function reasonOf({ found, expected }: Diagnosis): string {
  return `${found}; expected ${expected}`;
}

/** `file:line:column`, as editors and terminals open it. */
export function showPlace({ file, line, column }: ConfigPlace): string {
  return [file, line, column].filter((part) => part !== undefined).join(':');
}

/**
 * Runs `work`. A ConfigError is added to `refused` rather than thrown: what is wrong with one file does not
 * hide what is wrong with the next.
 */
export async function collectRefusals<T>(
  refused: ConfigError[],
  work: () => Promise<T>,
): Promise<T | undefined> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    refused.push(error);
    return undefined;
  }
}

/** Throws the first of what keeps a target from being rewritten; it knows the others. */
export function throwRefusals(refused: readonly ConfigError[]): void {
  const [first, ...others] = refused;
  if (!first) return;
  first.others = others;
  throw first;
}
