/** Checks gates that could never open, or could not be told apart. */
import type { FieldProblem } from './describe-issue.ts';
import type { Topology } from './topology.ts';

/** Returns gates of one name, approvers named twice, and more approvals than there are approvers. */
export function checkGates({ gates }: Topology): FieldProblem[] {
  const problems: FieldProblem[] = [];
  const names = new Map<string, number>();
  for (const [index, { name, before, approvers, approvals }] of gates.entries()) {
    const called = name ?? `before-${before}`;
    const first = names.get(called);
    if (first !== undefined) {
      const message = `expected a name of its own, got "${called}", which gates[${first}] has already`;
      problems.push({ path: ['gates', index, ...(name === undefined ? [] : ['name'])], message });
    }
    names.set(called, first ?? index);
    const twice = approvers?.findIndex((each, at) => approvers.indexOf(each) < at) ?? -1;
    if (twice >= 0)
      problems.push({
        path: ['gates', index, 'approvers', twice],
        message: `expected each approver once, got "${approvers?.[twice]}" again`,
      });
    if (approvers && approvals > approvers.length)
      problems.push({
        path: ['gates', index, 'approvals'],
        message: `expected at most ${approvers.length}, as many as there are approvers, got ${approvals}`,
      });
  }
  return problems;
}
