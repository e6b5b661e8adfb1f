/** Gates that could never open, and values that are listed twice. */
import { expect, it } from 'vitest';
import { topologyOf } from './minimal.ts';

const load = (text: string) => () => topologyOf(`${text}\n`);

it.each([
  [
    'gates: [{ before: switch }, { before: switch }]',
    'gates[1]: expected a name of its own, got "before-switch", which gates[0] has already',
  ],
  [
    'gates: [{ before: switch, name: a }, { before: fence, name: a }]',
    'gates[1].name: expected a name of its own, got "a"',
  ],
  [
    'gates: [{ before: switch, approvers: [a, b, a] }]',
    'gates[0].approvers[2]: expected each approver once, got "a" again',
  ],
  [
    'gates: [{ before: switch, approvers: [a], approvals: 2 }]',
    'gates[0].approvals: expected at most 1, as many as there are approvers, got 2',
  ],
  ['gates: [{ before: swich }]', 'did you mean "switch"?'],
  ['gates: [{ before: switch, deadline: 1s }]', 'gates[0].deadline: expected at least "1m" and at most "14d"'],
  [
    'jobs: { priority: [high, low, high] }',
    'jobs.priority[2]: expected each value once, got "high", which jobs.priority[0] is already',
  ],
  ['gates: [{ before: switch, approvers: [""] }]', 'gates[0].approvers[0]: expected at least 1 character, got nothing'],
])('refuses %s', (text, why) => {
  expect(load(text)).toThrow(why);
});

it('takes several gates, each with a name of its own', () => {
  expect(load('gates: [{ before: switch }, { before: irreversible, when: unattended }]')).not.toThrow();
});
