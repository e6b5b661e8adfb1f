/**
 * The rules of deciding at a gate: the workflow's validator, the journal and the command line apply the same ones.
 * Workflows import it.
 */
import type { Decision, Gate } from './plan.ts';

/** Returns why a decision does not count, or undefined if it does. `startedBy`: who started the run. */
export function refusalOf(
  gate: Gate,
  { startedBy, decisions }: { startedBy: string; decisions: readonly Decision[] },
  { by, approve, reason }: Pick<Decision, 'by' | 'approve' | 'reason'>,
): string | undefined {
  const verb = approve ? 'approve' : 'decline';
  if (reason.trim() === '') return `gate "${gate.name}": expected a reason`;
  if (gate.approvers && !gate.approvers.includes(by))
    return `gate "${gate.name}": "${by}" may not ${verb}: expected one of ${gate.approvers.join(', ')}`;
  // The one who asks may have second thoughts, and decline.
  if (approve && by === startedBy) return `gate "${gate.name}": "${by}" started the run, and cannot approve it`;
  const earlier = decisions.find((each) => each.by === by);
  if (earlier?.approve === approve)
    return `gate "${gate.name}": "${by}" has decided already, at ${earlier.at}: ${earlier.approve ? 'approved' : 'declined'}`;
  return undefined;
}

/** The outcome, if the decisions are enough for one. The last decision of each person counts. */
export function verdictOf(gate: Gate, decisions: readonly Decision[]): 'approved' | 'declined' | undefined {
  const last = new Map(decisions.map((decision) => [decision.by, decision]));
  const all = [...last.values()];
  if (all.some(({ approve }) => !approve)) return 'declined';
  return all.length >= gate.approvals ? 'approved' : undefined;
}

/** `gate "before-switch": 1 of 2 approvals` */
export function showGate(gate: Gate, decisions: readonly Decision[]): string {
  const approved = new Set(decisions.filter(({ approve }) => approve).map(({ by }) => by)).size;
  const count = gate.approvals === 1 ? 'an approval' : `${gate.approvals} approvals (${approved} so far)`;
  const whose = gate.approvers ? ` of ${gate.approvers.join(', ')}` : '';
  return `gate "${gate.name}" waits for ${count}${whose}`;
}
