/** The states of a run, and the legal moves between them: one table. Loads nothing. */
export const runStates = [
  'pending',
  'running',
  'waiting',
  'undoing',
  'completed',
  'failed',
  'cancelled',
] as const;
export type RunState = (typeof runStates)[number];

const moves: Record<RunState, readonly RunState[]> = {
  pending: ['running', 'undoing', 'failed', 'cancelled'],
  running: ['waiting', 'undoing', 'completed', 'failed'],
  waiting: ['running', 'undoing', 'failed'],
  // `failed`: something could not be undone, and can be tried again.
  undoing: ['cancelled', 'failed'],
  completed: [],
  // `retry` takes a failed run up again; a cancel undoes it.
  failed: ['running', 'undoing'],
  cancelled: [],
};

export function mayMove(from: RunState, to: RunState): boolean {
  return from === to || moves[from].includes(to);
}

/** Nothing executes it any more. */
export function isOver(state: RunState): boolean {
  return state === 'completed' || state === 'failed' || state === 'cancelled';
}

/** It keeps others from beginning: half a move is neither here nor there, until it is retried or cancelled. */
export function isOpen(state: RunState): boolean {
  return state !== 'completed' && state !== 'cancelled';
}
