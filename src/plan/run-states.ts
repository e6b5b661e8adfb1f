/** The states of a run, one table of the legal moves between them, and when a step is done. Has no dependencies. */
export const runStates = ['pending', 'running', 'waiting', 'undoing', 'completed', 'failed', 'cancelled'] as const;
export type RunState = (typeof runStates)[number];

// To `cancelled`, but for a run that never began or is undone: a failover has ended it.
const moves: Record<RunState, readonly RunState[]> = {
  pending: ['running', 'undoing', 'failed', 'cancelled'],
  running: ['waiting', 'undoing', 'completed', 'failed', 'cancelled'],
  waiting: ['running', 'undoing', 'failed', 'cancelled'],
  // `failed`: something could not be undone, and can be retried.
  undoing: ['cancelled', 'failed'],
  completed: [],
  // `retry` runs a failed run again. A cancel undoes it.
  failed: ['running', 'undoing', 'cancelled'],
  cancelled: [],
};

/** Whether a run may change from one state to the other. */
export function mayMove(from: RunState, to: RunState): boolean {
  return from === to || moves[from].includes(to);
}

/** Whether no workflow executes it any more. */
export function isOver(state: RunState): boolean {
  return state === 'completed' || state === 'failed' || state === 'cancelled';
}

/** Whether it prevents others from beginning. A half-done failover does, until it is retried or cancelled. */
export function isOpen(state: RunState): boolean {
  return state !== 'completed' && state !== 'cancelled';
}

/** Whether steps that need this one may begin. `state`: that of a step. */
export function isDone({ state }: { state: string }): boolean {
  return state === 'completed' || state === 'skipped' || state === 'owed';
}
