/** Who may decide at a gate of a run, as far as the workflow knows. */
import { ApplicationFailure } from '@temporalio/workflow';
import { refusalOf } from '../src/plan/gates.ts';
import type { BegunRun } from '../src/run/begin-run.ts';
import type { Board } from './board.ts';
import type { GateDecision } from './messages.ts';

/** Throws the refusal. A validator is synchronous: what only the journal knows is checked where a decision is recorded. */
export function requireOpenGate({ gate, decision }: GateDecision, begun: BegunRun | undefined, board: Board): void {
  const refuse = (message: string) => {
    throw ApplicationFailure.nonRetryable(message, 'PreconditionError');
  };
  const step = begun?.steps.find((each) => each.gate?.name === gate);
  if (!begun || !step?.gate) return refuse(`the run has no gate "${gate}"`);
  if (board.step(step.id).state !== 'waiting') return refuse(`gate "${gate}" does not ask now`);
  const why = refusalOf(step.gate, { startedBy: begun.header.triggeredBy, decisions: [] }, decision);
  if (why !== undefined) refuse(why);
}
