/** Why a run fails, as run history shows it. */
export class RunFailure extends Error {
  readonly code: 'UserError' | 'SystemError';
  constructor(code: 'UserError' | 'SystemError', message: string) {
    super(message);
    this.name = 'RunFailure';
    this.code = code;
  }
}

/** How a run ended. */
export interface RunEnd {
  outcome: 'Completed' | 'Failed' | 'Canceled';
  error?: { code: string; message: string };
}

/**
 * `canceled` and `timeout`: asked to end, then made to. `lost`: its node is gone. `stopped`: the local Azure itself
 * ends.
 */
export type Ending = 'canceled' | 'timeout' | 'failed' | 'lost' | 'stopped';

/** What runs a job. */
export interface Run {
  /** Runs it to its end; rejects with a RunFailure for what makes it fail. */
  run(): Promise<RunEnd>;
  /** Asks it to end; the first time counts, but for a node that is lost. */
  end(how: Ending): void;
}
