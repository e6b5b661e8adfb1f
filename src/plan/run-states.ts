/** The states of a run, and the legal moves between them: one table. */
export type RunState = 'pending' | 'running' | 'waiting' | 'undoing' | 'completed' | 'failed' | 'cancelled';

const moves: Record<RunState, readonly RunState[]> = {
  pending: ['running', 'failed', 'cancelled'],
  running: ['waiting', 'undoing', 'completed', 'failed'],
  waiting: ['running', 'undoing', 'failed'],
  undoing: ['cancelled', 'failed'],
  completed: [],
  // `resume-run` takes a failed run up again.
  failed: ['running'],
  cancelled: [],
};

export function mayMove(from: RunState, to: RunState): boolean {
  return from === to || moves[from].includes(to);
}

export function isOver(state: RunState): boolean {
  return state === 'completed' || state === 'failed' || state === 'cancelled';
}
