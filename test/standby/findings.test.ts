/** What is said where a standby cannot take over: what to mend, and what can be gone without, by names that exist. */
import { expect, it } from 'vitest';
import { UnderstudyError } from '../../src/errors/error.ts';
import { requireNone, type StandbyFinding } from '../../src/standby/findings.ts';

const finding = (kind: StandbyFinding['kind'], acceptable: boolean): StandbyFinding => ({
  id: `${kind}:x`,
  kind,
  name: 'x',
  classes: ['data'],
  acceptable,
  severity: 'refused',
  what: `${kind} x is gone`,
});
const workspace = finding('workspace', false);
const storage = finding('storage', true);
const secret = finding('secret', true);

function refusal(refused: StandbyFinding[], accepted: string[] = []): UnderstudyError | undefined {
  try {
    requireNone(refused, { region: 'westus3', accepted });
    return undefined;
  } catch (error) {
    if (error instanceof UnderstudyError) return error;
    throw error;
  }
}

it('nothing is refused where nothing is found', () => {
  expect(refusal([])).toBeUndefined();
});

it('what no one can go without is repaired: no name is offered', () => {
  const error = refusal([workspace], ['registry:y']);
  expect(error?.message).toBe('westus3 cannot take over, and nothing has been moved:\n  - data: workspace x is gone');
  expect(error?.details.next).toBe('Fix it and "understudy retry" this run, or "understudy cancel" it.');
});

it('what can be gone without is offered by its names, those of the plan among them', () => {
  expect(refusal([storage, secret], ['registry:y'])?.details.next).toBe(
    'Fix it and "understudy retry" this run; or "understudy cancel" it, and go without: understudy failover --accept-loss registry:y storage:x secret:x --reason "…"',
  );
});

it('of both, only what can be gone without is offered', () => {
  expect(refusal([workspace, storage])?.details.next).toBe(
    'Fix it and "understudy retry" this run; or "understudy cancel" it, fix what has no name, and go without the rest: understudy failover --accept-loss storage:x --reason "…"',
  );
});
