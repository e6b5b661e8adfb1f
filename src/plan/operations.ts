/**
 * The operations: one row each. What a run holds, and what becomes of it, is read here rather than told by its operation's name; only what
 * makes a plan, and the commands, name an operation. Loads nothing: workflows import it.
 */

export interface OperationRow {
  /**
   * What excludes other runs, for as long as this one is open. `run`: the run lease, one open run a topology. `writer`: the writer lease of
   * the epoch; runs of the same operation exclude one another.
   */
  lease: 'run' | 'writer';
  /** Whether it takes the region pointer. */
  movesWriter: boolean;
  /** `newest sealed`: it restores one, which its plan names. `makes one`: it seals one. */
  recoveryPoint: 'newest sealed' | 'makes one';
  /** What a cancel does: `undo` takes back what was done; `end` leaves it, since it does no harm. */
  cancel: 'undo' | 'end';
}

export const operations = {
  replicate: {
    lease: 'writer',
    movesWriter: false,
    recoveryPoint: 'makes one',
    cancel: 'end',
  },
  failover: {
    lease: 'run',
    movesWriter: true,
    recoveryPoint: 'newest sealed',
    cancel: 'undo',
  },
} as const satisfies Record<string, OperationRow>;

/** Each is also the name of a workflow type. */
export type Operation = keyof typeof operations;

export const operationNames = Object.keys(operations) as [Operation, ...Operation[]];

/** Widened: what a row says may differ in the next release. */
export function rowOf(operation: Operation): OperationRow {
  return operations[operation];
}

/** The workflow's id: one for each thing that is excluded, so that Temporal itself deduplicates starts. */
export function workflowIdOf(run: { topology: string; operation: Operation }): string {
  return `understudy-${run.topology}-${rowOf(run.operation).lease === 'run' ? 'move' : run.operation}`;
}
