/** Records what a person has decided at a gate of a run: for the workflow, and for anyone without Temporal. */
import type { ControlStore } from '../control-store/store.ts';
import { UnderstudyError } from '../errors/error.ts';
import { showGate } from '../plan/gates.ts';
import type { Decision, Gate, Plan } from '../plan/plan.ts';
import type { Environments } from '../run/environment.ts';
import type { RunReference } from '../run/reference.ts';
import { recordDecision } from './gate-document.ts';

/** A decision, and the gate of the run that it is about. */
export interface DecideGate {
  run: RunReference;
  gate: string;
  decision: Decision;
}

/** Makes the activity `decideGate`. */
export function gateDecider(open: Environments) {
  return async ({ run, gate, decision }: DecideGate): Promise<string> => {
    const { store, plan } = await open.openPlanned(run);
    return decide(store, { runId: run.runId, gate: gateOf(plan, gate), decision });
  };
}

/** Returns one line: how the gate stands now. Errors: PreconditionError if the decision does not count. */
export async function decide(
  store: ControlStore,
  { runId, gate, decision }: { runId: string; gate: Gate; decision: Decision },
): Promise<string> {
  const { closed, decisions } = await recordDecision(store, { runId, gate, decision });
  return closed ? `gate "${gate.name}" is ${closed.as}` : showGate(gate, decisions);
}

/** The gate of a plan. PreconditionError if it has none of that name, naming those it has. */
export function gateOf({ steps }: Pick<Plan, 'steps'>, name: string): Gate {
  const gates = steps.flatMap(({ gate }) => (gate ? [gate] : []));
  const found = gates.find((gate) => gate.name === name);
  if (found) return found;
  throw new UnderstudyError(
    'PreconditionError',
    gates.length === 0
      ? 'the run has no gate'
      : `the run has no gate "${name}": expected one of ${gates.map((gate) => gate.name).join(', ')}`,
  );
}
