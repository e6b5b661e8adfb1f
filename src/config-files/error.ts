/** Where in a config file something is wrong, and what: `line` and `column` count from 1. */
export interface ConfigErrorPlace {
  file: string;
  line?: number;
  column?: number;
}

/**
 * A config file, or the working copy it lives in, cannot be rewritten as it is. Thrown before anything is written.
 * `reason` never quotes the file's content: a config file may hold secrets.
 */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  readonly code = 'ConfigError';
  readonly file: string;
  readonly line?: number;
  readonly column?: number;
  readonly reason: string;

  constructor(place: ConfigErrorPlace, reason: string, options?: { cause?: unknown }) {
    const at =
      place.line === undefined
        ? ''
        : ` (line ${place.line}${place.column === undefined ? '' : `, column ${place.column}`})`;
    super(`cannot rewrite config "${place.file}": ${reason}${at}`, options);
    this.file = place.file;
    if (place.line !== undefined) this.line = place.line;
    if (place.column !== undefined) this.column = place.column;
    this.reason = reason;
  }
}
