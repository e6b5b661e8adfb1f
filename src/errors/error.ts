/**
 * Every error a person may meet has a code, a message that says what was tried, on what, what was wrong, and the next
 * action. The table below is the one place that says, for each code, whether trying again can help and which exit code
 * the command ends with.
 */
const codes = {
  /** The topology file, or what it names, is wrong. */
  TopologyError: { retryable: false, exitCode: 2 },
  /** The command was called wrongly. */
  UsageError: { retryable: false, exitCode: 2 },
  /** A config file to rewrite is missing, malformed or not writable. */
  ConfigError: { retryable: false, exitCode: 1 },
  /** Azure refused; the request will be refused again. */
  AzureError: { retryable: false, exitCode: 1 },
  /** Azure did not answer, throttled, or failed in a way that passes. */
  AzureUnavailable: { retryable: true, exitCode: 1 },
  /** No token could be had, or Azure did not accept it. */
  CredentialError: { retryable: false, exitCode: 1 },
  /** Somebody else holds the epoch, the writer lease or the run lease. */
  FencedError: { retryable: false, exitCode: 1 },
  /** What is in the control store is not what was written, or is missing. */
  ControlStoreError: { retryable: false, exitCode: 1 },
  /** A recovery point is incomplete or altered. */
  RecoveryPointError: { retryable: false, exitCode: 1 },
  /** expected ≠ done + skipped + failed, or the standby does not hold what was copied. */
  ReconciliationError: { retryable: false, exitCode: 1 },
  /** A plan cannot be made, or must not be run now (healthy region, quota, …). */
  PreconditionError: { retryable: false, exitCode: 1 },
  /** The steps of a plan do not fit together: a defect of the fragments that they come from. */
  PlanError: { retryable: false, exitCode: 1 },
  /** A condition waited for (a role, a probe, a name) did not come about within its deadline. */
  NotYetError: { retryable: true, exitCode: 1 },
  /** An attempt of a step made no progress for as long as the policies allow. */
  StalledError: { retryable: true, exitCode: 1 },
  /** Temporal cannot be reached or refused. */
  TemporalError: { retryable: true, exitCode: 1 },
  /** Somebody has cancelled the run: no step of it starts any more. */
  CancelledRun: { retryable: false, exitCode: 3 },
  /** What was asked for is so already: a command that is typed twice has not failed. */
  NothingToDo: { retryable: false, exitCode: 0 },
  /** A person said no, or cancelled. */
  Declined: { retryable: false, exitCode: 3 },
} as const;

export type ErrorCode = keyof typeof codes;

export const errorCodes = Object.keys(codes) as [ErrorCode, ...ErrorCode[]];

/** What an error says besides its message. */
export interface ErrorDetails {
  /** What the person can do next, one sentence. */
  next?: string;
  /** Where: a file and line, an ARM id, a URL. */
  place?: string;
  /** Seconds the other side asked us to wait (Retry-After). */
  retryAfterSeconds?: number;
  /** Azure's own code and request id. */
  azure?: { status?: number; code?: string; requestId?: string };
  /** Somebody answered whose certificate nobody here trusts: that says nothing of how Azure is. */
  untrusted?: true;
  /**
   * Who failed, where that is not what was asked: the control store, or whoever gives tokens. Set where the error
   * arises.
   */
  origin?: 'control-store' | 'sign-in';
  /**
   * Of a TemporalError: whether waiting may help. False for what has to be set right: an unknown name, TLS,
   * credentials, the namespace.
   */
  passes?: boolean;
  /** Of a TemporalError, why in short: the code of the operating system, or a few words. */
  reason?: string;
  cause?: unknown;
}

/** Every error that is expected. Its code decides whether it is retried, and the exit code. */
export class UnderstudyError extends Error {
  readonly code: ErrorCode;
  readonly details: ErrorDetails;

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.name = code;
    this.code = code;
    this.details = details;
  }

  get retryable(): boolean {
    return codes[this.code].retryable;
  }

  get exitCode(): number {
    return codes[this.code].exitCode;
  }
}

/** With `code`: only an error of that code. */
export function isUnderstudyError(error: unknown, code?: ErrorCode): error is UnderstudyError {
  return error instanceof UnderstudyError && (code === undefined || error.code === code);
}

/** Of the run, not of a step's work: who holds it, and what is written of it. */
const ofTheRun: ReadonlySet<ErrorCode> = new Set(['FencedError', 'CancelledRun', 'ControlStoreError']);

/** Whether what a step could not do may be accepted as a loss by a person. */
export function isLoss(error: unknown): error is UnderstudyError {
  return isUnderstudyError(error) && !ofTheRun.has(error.code);
}

/** A wrong program stays wrong: these errors are ours, and trying again cannot help. */
export function isDefect(error: unknown): boolean {
  return error instanceof TypeError || error instanceof RangeError || error instanceof ReferenceError;
}

/** One line for a person; never a stack trace. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
