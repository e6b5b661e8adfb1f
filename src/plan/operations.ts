/**
 * The operations, one row each. What a run does is read from its row, not decided by its operation's name. Only the
 * plan compilers and the commands name an operation. Has no dependencies: workflows import it.
 */

/** What an operation does. */
export interface OperationRow {
  /**
   * What excludes other runs while this one is open. `run`: the run lease, so a topology has one open move. `writer`:
   * the writer lease of the epoch; all runs that hold it exclude one another, whatever their operations.
   */
  lease: 'run' | 'writer';
  /** Whether it takes the region pointer. */
  movesWriter: boolean;
  /** `newest sealed`: it restores one, which its plan names. `makes one`: it seals one. `none`: it needs none. */
  recoveryPoint: 'newest sealed' | 'makes one' | 'none';
  /** Whether a failover may end it, as long as it has not taken the region pointer. */
  givesWay: boolean;
  /** The policy that limits how long it may take in all; absent: as long as its steps take. */
  deadline?: 'replicateDeadline';
  /** What a cancel does. `undo`: undoes what was done. `end`: leaves it, since it does no harm. */
  cancel: 'undo' | 'end';
}

export const operations = {
  replicate: {
    lease: 'writer',
    movesWriter: false,
    recoveryPoint: 'makes one',
    givesWay: false,
    deadline: 'replicateDeadline',
    cancel: 'end',
  },
  resubmit: {
    lease: 'writer',
    movesWriter: false,
    recoveryPoint: 'none',
    givesWay: false,
    cancel: 'end',
  },
  reprotect: {
    lease: 'writer',
    movesWriter: false,
    recoveryPoint: 'makes one',
    givesWay: false,
    cancel: 'end',
  },
  switchover: {
    lease: 'run',
    movesWriter: true,
    recoveryPoint: 'makes one',
    givesWay: true,
    cancel: 'undo',
  },
  failback: {
    lease: 'run',
    movesWriter: true,
    recoveryPoint: 'makes one',
    givesWay: true,
    cancel: 'undo',
  },
  failover: {
    lease: 'run',
    movesWriter: true,
    recoveryPoint: 'newest sealed',
    givesWay: false,
    cancel: 'undo',
  },
} as const satisfies Record<string, OperationRow>;

/** Each operation is also the name of a workflow type. */
export type Operation = keyof typeof operations;

export const operationNames = Object.keys(operations) as [Operation, ...Operation[]];

/** Widened, because a row may differ in the next release. */
export function rowOf(operation: Operation): OperationRow {
  return operations[operation];
}

/** Whether both regions must answer before it begins: it takes its recovery point itself, and owes nothing. */
export function needsBothRegions(operation: Operation): boolean {
  const { movesWriter, recoveryPoint } = rowOf(operation);
  return movesWriter && recoveryPoint === 'makes one';
}

/**
 * Returns the workflow id. Runs that exclude each other have the same id, so that Temporal itself deduplicates starts.
 */
export function workflowIdOf(run: { topology: string; operation: Operation }): string {
  return `understudy-${run.topology}-${rowOf(run.operation).lease === 'run' ? 'move' : run.operation}`;
}
