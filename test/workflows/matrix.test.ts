/**
 * Each operation, in each of its phases, meets each fault: on a real Temporal server, with the plan that the compiler
 * makes and activities that a test scripts. A new operation gets its row by being compiled here.
 */
import { afterAll, beforeAll, describe, it, vi } from 'vitest';
import {
  compileFailback,
  compileFailover,
  compileReplicate,
  compileReprotect,
  compileResubmit,
  compileSwitchover,
} from '../../src/plan/compile.ts';
import type { Operation } from '../../src/plan/operations.ts';
import type { Plan } from '../../src/plan/plan.ts';
import { phases, type Phase } from '../../src/topology/words.ts';
import type { PlanStep } from '../../src/run/begin-run.ts';
import { compileInput, leftBefore, recoveryPoint } from '../plan/inputs.ts';
import { final, startEngine, untilAborted, type Engine, type Execution, type Script, type Work } from './engine.ts';

const more = `traffic: { frontDoor: { subscriptionId: 11111111-2222-3333-4444-555555555555, resourceGroup: g, profile: p, originGroup: o, origins: { eastus: e, westus3: w } } }
probes: [ { http: "https://score.example/" }, { http: "https://ml.example/", class: platform } ]
`;

const plans: Record<Operation, Plan> = {
  failover: compileFailover({ ...compileInput(more), recoveryPoint: recoveryPoint() }),
  switchover: compileSwitchover({ ...compileInput(more), recoveryPoint: recoveryPoint() }),
  failback: compileFailback({ ...compileInput(more), recoveryPoint: recoveryPoint(), ...leftBefore }),
  reprotect: compileReprotect({ ...compileInput(more), isPinned: false }),
  resubmit: compileResubmit({ ...compileInput(more), jobs: [] }),
  replicate: compileReplicate(compileInput(more)),
};

/** Every phase of every operation; `undefined`: the operation has no phases. */
const rows = Object.entries(plans).flatMap(([operation, { steps }]) =>
  [undefined, ...phases]
    .map((phase) => ({ phase, mine: steps.filter((step) => step.phase === phase) }))
    .filter(({ mine }) => mine.length > 0)
    .map(({ phase, mine }): Row => ({
      operation: operation as Operation,
      phase,
      steps: steps.map(withoutInput),
      mine,
    })),
);

interface Row {
  operation: Operation;
  phase: Phase | undefined;
  steps: PlanStep[];
  /** The steps of the phase. */
  mine: readonly PlanStep[];
}

function withoutInput({ input: _input, timeLimits: _limits, ...step }: Plan['steps'][number]): PlanStep {
  return step;
}

const patience = { timeout: 60_000 };

let engine: Engine;
beforeAll(async () => {
  engine = await startEngine();
});
afterAll(() => engine?.close());

const namesOf = (events: readonly string[], what: string) =>
  events.filter((event) => event.startsWith(`${what} `)).map((event) => event.slice(what.length + 1));

/** The steps that wait for `id`, directly or not. */
function after(steps: readonly PlanStep[], id: string): Set<string> {
  const found = new Set<string>();
  for (const step of steps) if (step.needs.some((need) => need === id || found.has(need))) found.add(step.id);
  return found;
}

/** Runs the operation while `work` is done in the phase's steps. */
function play({ operation, steps }: Row, script: Partial<Script>): Promise<Execution> {
  return engine.run({ operation, steps, ...script });
}

describe.concurrent.each(rows)('$operation in $phase', (row) => {
  const { steps, mine } = row;
  const [first] = mine;
  if (!first) throw new Error('a phase without steps');

  it('goes on once errors have passed, and does each step once', { timeout: 120_000 }, async ({ expect }) => {
    const flaky: Work = (_signal, attempt) => {
      if (attempt === 1) throw new Error('Azure did not answer');
      return 'done';
    };
    const execution = await play(row, { work: Object.fromEntries(mine.map(({ id }) => [id, flaky])) });
    expect(await execution.result()).toMatchObject({ state: 'completed' });
    expect(namesOf(execution.events, 'end').toSorted()).toEqual(steps.map(({ id }) => id).toSorted());
    for (const { id, needs } of steps) {
      const at = execution.events.indexOf(`start ${id}`);
      for (const need of needs) expect(execution.events.indexOf(`end ${need}`)).toBeLessThan(at);
    }
  });

  it('fails where a step fails for good, and does all that does not wait for it', async ({ expect }) => {
    const execution = await play(row, {
      work: {
        [first.id]: () => {
          throw final('refused');
        },
      },
    });
    expect(await execution.result()).toMatchObject({ state: 'failed', reason: `${first.id}: refused` });
    const held = after(steps, first.id);
    const done = steps.filter(({ id }) => id !== first.id && !held.has(id));
    expect(namesOf(execution.events, 'end').toSorted()).toEqual(done.map(({ id }) => id).toSorted());
    expect(namesOf(execution.events, 'undo')).toEqual([]);
  });

  it('is cancelled in its midst, and undoes what was done, newest first', async ({ expect }) => {
    const execution = await play(row, { work: { [first.id]: untilAborted } });
    await vi.waitFor(() => expect(namesOf(execution.events, 'start')).toContain(first.id), patience);
    await execution.handle.cancel();
    expect(await execution.result()).toMatchObject({ state: 'cancelled' });
    const ended = namesOf(execution.events, 'end');
    const undone = namesOf(execution.events, 'undo');
    const touched = steps.filter(({ id, undoable }) => undoable && ended.includes(id));
    expect(undone.toSorted()).toEqual(touched.map(({ id }) => id).toSorted());
    // Steps that end within one millisecond have no order but that of what they wait for.
    for (const [index, id] of undone.entries()) {
      const waiting = after(steps, id);
      for (const later of undone.slice(index + 1)) expect(waiting, `${later} after ${id}`).not.toContain(later);
    }
  });

  it('says what could not be undone, and undoes the rest', async ({ expect }) => {
    const stubborn = Object.fromEntries(
      mine.map(({ id }): [string, Work] => [
        id,
        () => {
          throw final('still refused');
        },
      ]),
    );
    const last = mine.at(-1) ?? first;
    const execution = await play(row, { work: { [last.id]: untilAborted }, undo: stubborn });
    await vi.waitFor(() => expect(namesOf(execution.events, 'start')).toContain(last.id), patience);
    await execution.handle.cancel();
    const { state, reason = '' } = await execution.result();
    const ended = namesOf(execution.events, 'end');
    const left = mine.filter(({ id, undoable }) => undoable && ended.includes(id)).map(({ id }) => id);
    expect(state).toBe(left.length > 0 ? 'failed' : 'cancelled');
    for (const id of left) expect(reason).toContain(id);
    const touched = steps.filter(({ id, undoable }) => undoable && ended.includes(id));
    expect(namesOf(execution.events, 'undo').toSorted()).toEqual(touched.map(({ id }) => id).toSorted());
  });

  it('completes though what may be owed is owed', async ({ expect }) => {
    const owing: Work = () => ({ state: 'owed', detail: 'the region does not answer' });
    const execution = await play(row, { work: Object.fromEntries(mine.map(({ id }) => [id, owing])) });
    const refusing = steps.filter(({ unowed = [] }) => unowed.some((id) => mine.some((step) => step.id === id)));
    expect(await execution.result()).toMatchObject({ state: refusing.length === 0 ? 'completed' : 'failed' });
    for (const { id } of refusing) expect(namesOf(execution.events, 'start')).not.toContain(id);
  });
});
