/**
 * A gate: a step of a plan at which people decide whether the run may continue. The rules of deciding are here alone:
 * the workflow's validator, the journal and the command line apply the same ones. Has no dependencies: workflows import
 * it.
 */

/** Who decides at a gate, how many, and until when. */
export interface Gate {
  /** Unique in the plan. */
  name: string;
  /** Who may decide; absent: anyone, except who started the run. */
  approvers?: readonly string[] | undefined;
  /** How many must approve. One who declines is enough to decline. */
  approvals: number;
  /** Counted from the moment at which the gate asks. */
  deadlineSeconds: number;
  /** What the end of that time means. */
  afterDeadline: 'approve' | 'decline';
}

/** What one person has decided. */
export interface Decision {
  /** Who they say they are. */
  by: string;
  /** ISO 8601. */
  at: string;
  approve: boolean;
  reason: string;
}

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
  // Whoever asks may change their mind, and decline.
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
