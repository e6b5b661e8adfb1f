/** Gates: who may decide, what their decisions amount to, and which steps wait for them. */
import { describe, expect, it } from 'vitest';
import { actionOf } from '../../src/plan/actions.ts';
import { compileFailover } from '../../src/plan/compile.ts';
import { refusalOf, showGate, verdictOf } from '../../src/plan/gates.ts';
import type { Decision, Gate, Plan } from '../../src/plan/plan.ts';
import { phases } from '../../src/topology/words.ts';
import { compileInput, full, recoveryPoint } from './inputs.ts';

const gate: Gate = { name: 'before-switch', approvals: 2, deadlineSeconds: 900, afterDeadline: 'decline' };
const by = (who: string, approve = true): Decision => ({
  by: who,
  at: '2026-11-21T10:00:00.000Z',
  approve,
  reason: 'seen',
});
const asked = (...decisions: Decision[]) => ({ startedBy: 'ana', decisions });

describe('a decision', () => {
  it.each([
    ['of who started the run', gate, asked(), by('ana'), '"ana" started the run, and cannot approve it'],
    [
      'of one who is no approver',
      { ...gate, approvers: ['bo'] },
      asked(),
      by('cy'),
      '"cy" may not approve: expected one of bo',
    ],
    ['without a reason', gate, asked(), { ...by('bo'), reason: ' ' }, 'expected a reason'],
    ['given twice', gate, asked(by('bo')), by('bo'), '"bo" has decided already, at 2026-11-21T10:00:00.000Z: approved'],
  ])('%s does not count', (_what, of, before, decision, why) => {
    expect(refusalOf(of, before, decision)).toContain(why);
  });

  it('of an approver counts, and a changed mind, and who started the run may decline', () => {
    expect(refusalOf({ ...gate, approvers: ['bo'] }, asked(), by('bo'))).toBeUndefined();
    expect(refusalOf(gate, asked(by('bo')), by('bo', false))).toBeUndefined();
    expect(refusalOf(gate, asked(), by('ana', false))).toBeUndefined();
  });
});

describe('a gate', () => {
  it('opens once enough people have approved, and closes with the first who declines', () => {
    expect(verdictOf(gate, [])).toBeUndefined();
    expect(verdictOf(gate, [by('bo')])).toBeUndefined();
    expect(verdictOf(gate, [by('bo'), by('cy')])).toBe('approved');
    expect(verdictOf(gate, [by('bo'), by('cy', false)])).toBe('declined');
    expect(verdictOf(gate, [by('bo'), by('bo', false)])).toBe('declined');
  });

  it('says whose approvals it waits for', () => {
    expect(showGate(gate, [by('bo')])).toBe('gate "before-switch" waits for 2 approvals (1 so far)');
    expect(showGate({ ...gate, approvals: 1, approvers: ['bo', 'cy'] }, [])).toBe(
      'gate "before-switch" waits for an approval of bo, cy',
    );
  });
});

function planOf(gates: string, unattended = false): Plan {
  return compileFailover({ ...compileInput(`${full}${gates}`), recoveryPoint: recoveryPoint(), unattended });
}

/** The steps that wait for a gate, directly or not. */
function after({ steps }: Plan, id: string): string[] {
  const found = new Set<string>();
  for (const step of steps) if (step.needs.some((need) => need === id || found.has(need))) found.add(step.id);
  return [...found];
}

describe('in a plan', () => {
  it('there is none that nobody asked for', () => {
    expect(planOf('').steps.filter((step) => step.gate)).toEqual([]);
  });

  it('that nobody watches, one holds everything that a cancel cannot take back', () => {
    const plan = planOf('', true);
    const asks = plan.steps.find((step) => step.gate);
    expect(asks).toMatchObject({
      id: 'fence/platform/gate-before-irreversible',
      needs: [],
      gate: { name: 'before-irreversible', approvals: 1, deadlineSeconds: 3600, afterDeadline: 'decline' },
    });
    const held = after(plan, asks?.id ?? '');
    for (const { id, action } of plan.steps)
      if (typeof actionOf(action).undo === 'object') expect(held, id).toContain(id);
    // What can be undone need not wait: the old side is shut out meanwhile, and the standby inspected.
    expect(held).not.toContain('fence/platform/standby');
  });

  it('one before a phase holds that phase and the later ones, of every class', () => {
    const plan = planOf('gates: [{ before: switch, approvers: [bo], approvals: 1, deadline: 15m }]\n');
    const held = after(plan, 'switch/platform/gate-before-switch');
    for (const { id, phase, gate: asks } of plan.steps) {
      const is = phase !== undefined && phases.indexOf(phase) >= phases.indexOf('switch') && !asks;
      expect(held.includes(id), id).toBe(is);
    }
  });

  it('one that asks only where nobody watches is left out where somebody does', () => {
    const gates = 'gates: [{ before: switch, when: unattended }]\n';
    expect(planOf(gates).steps.some((step) => step.gate)).toBe(false);
    expect(planOf(gates, true).steps.filter((step) => step.gate)).toHaveLength(1);
  });

  it('its time limits are longer than it asks', () => {
    const step = planOf('gates: [{ before: switch, deadline: 3d }]\n').steps.find((each) => each.gate);
    expect(step?.timeLimits?.attemptSeconds).toBeGreaterThan(3 * 86_400);
  });
});
