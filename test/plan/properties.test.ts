/** Whatever the topology and the recovery point have, a plan is ordered, acyclic and whole. */
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  compileFailback,
  compileFailover,
  compileReplicate,
  compileReprotect,
  compileResubmit,
  compileSwitchover,
  type CompileInput,
} from '../../src/plan/compile.ts';
import { operationNames, rowOf } from '../../src/plan/operations.ts';
import { Plan, type Step } from '../../src/plan/plan.ts';
import type { RecoveryPointSummary } from '../../src/plan/recovery-point-summary.ts';
import { compileUndo, type DoneStep } from '../../src/plan/undo.ts';
import { phases, resourceClasses } from '../../src/topology/words.ts';
import { compileInput, leftBefore, recoveryPoint } from './inputs.ts';

const file = fc.record({
  host: fc.constantFrom('train-01', 'train-02'),
  file: fc.constantFrom('/etc/ml/.env', '/etc/ml/b.json'),
});
const probe = fc.record({ http: fc.constant('https://score.example/'), class: fc.constantFrom(...resourceClasses) });

/** What of a topology decides which steps there are. */
const topologyText = fc
  .record({
    configs: fc.uniqueArray(file, { maxLength: 3, selector: (target) => JSON.stringify(target) }),
    probes: fc.array(probe, { maxLength: 3 }),
    front: fc.boolean(),
  })
  .map(({ configs, probes, front }) => {
    const origins = { eastus: 'e', westus3: 'w' };
    const subscriptionId = '11111111-2222-3333-4444-555555555555';
    const frontDoor = { subscriptionId, resourceGroup: 'g', profile: 'p', originGroup: 'o', origins };
    return [
      `configs: ${JSON.stringify(configs)}`,
      `probes: ${JSON.stringify(probes)}`,
      ...(front ? [`traffic: ${JSON.stringify({ frontDoor })}`] : []),
    ].join('\n');
  });

const few = fc.nat(3);
const summary: fc.Arbitrary<RecoveryPointSummary> = fc
  .record({
    counts: fc.record({ models: few, data: few, environments: few, schedules: few, connections: few }),
    computes: fc.array(fc.record({ name: fc.constant('gpu'), type: fc.constant('AmlCompute') }), { maxLength: 1 }),
    endpoints: fc.array(fc.constantFrom('score', 'rank'), { maxLength: 2 }),
    jobs: fc.record({ Running: fc.nat(10_000), Queued: few }),
    fuzzy: few,
  })
  .map(({ endpoints, ...change }) =>
    recoveryPoint({ ...change, endpoints: endpoints.map((name) => ({ name, deployments: [] })) }),
  );

const anyPlan: fc.Arbitrary<Plan> = fc
  .record({ text: topologyText, back: fc.boolean(), operation: fc.constantFrom(...operationNames), point: summary })
  .map(({ text, back, operation, point }) => {
    const input = compileInput(text);
    const [writer, to] = back ? (['westus3', 'eastus'] as const) : (['eastus', 'westus3'] as const);
    return compilers[operation]({ ...input, pointer: { ...input.pointer, writer }, to }, { ...point, region: writer });
  });

const compilers: Record<Plan['operation'], (input: CompileInput, point: RecoveryPointSummary) => Plan> = {
  failover: (input, point) => compileFailover({ ...input, recoveryPoint: point }),
  switchover: (input, point) => compileSwitchover({ ...input, recoveryPoint: point }),
  failback: (input, point) => compileFailback({ ...input, recoveryPoint: point, ...leftBefore }),
  reprotect: (input, { fuzzy }) => compileReprotect({ ...input, isPinned: fuzzy > 1 }),
  resubmit: (input) => compileResubmit({ ...input, jobs: [] }),
  replicate: (input) => compileReplicate(input),
};

/** How each step of an interrupted run stands in its journal; undefined: it has no record. */
const ends = fc.constantFrom('completed', 'owed', 'skipped', 'failed', 'running', undefined);

/** How long something is predicted to take is not what is done. */
function withoutTime({ expectedSeconds: _predicted, ...step }: Step): Omit<Step, 'expectedSeconds'> {
  return step;
}

function check<T>(property: fc.IProperty<T>): void {
  fc.assert(property, { numRuns: 300 });
}

/** Everything that a step waits for, directly or not. */
function ancestors({ steps }: Plan): Map<string, Set<string>> {
  const found = new Map<string, Set<string>>();
  for (const { id, needs } of steps)
    found.set(id, new Set([...needs, ...needs.flatMap((need) => [...(found.get(need) ?? [])])]));
  return found;
}

describe('any plan', () => {
  it('has each step once, after everything that it needs', () => {
    check(
      fc.property(anyPlan, ({ steps }) => {
        const seen = new Set<string>();
        for (const { id, needs, unowed = [] } of steps) {
          expect(seen).not.toContain(id);
          for (const need of needs) expect(seen).toContain(need);
          for (const need of unowed) expect(needs).toContain(need);
          seen.add(id);
        }
      }),
    );
  });

  it('is as it was sealed when it is read again, and the same when it is compiled again', () => {
    check(
      fc.property(anyPlan, (plan) => {
        expect(Plan.parse(JSON.parse(JSON.stringify(plan)))).toEqual(plan);
      }),
    );
  });

  it('orders the phases of a class, and does all of them after the pointer is taken and the target readmitted', () => {
    check(
      fc.property(anyPlan, (plan) => {
        const before = ancestors(plan);
        const indexOf = ({ phase }: Step) => (phase === undefined ? -1 : phases.indexOf(phase));
        const [readmit] = plan.steps.filter(({ action }) => action === 'readmitWriters');
        for (const step of plan.steps.filter((each) => indexOf(each) > phases.indexOf('provision'))) {
          expect(before.get(step.id)).toContain(readmit?.id);
          const earlier = plan.steps.filter(
            (each) =>
              each.class === step.class &&
              each.phase !== 'fence' &&
              indexOf(each) < indexOf(step) &&
              (each.provides ?? []).length > 0,
          );
          for (const { id } of earlier) expect(before.get(step.id)).toContain(id);
        }
      }),
    );
  });

  it('shifts no traffic and serves nothing before the class is verified and the old side is shut out, or owes it', () => {
    check(
      fc.property(anyPlan, (plan) => {
        const before = ancestors(plan);
        const ids = (action: Step['action'], name?: string) =>
          plan.steps
            .filter((step) => step.action === action && (name === undefined || step.class === name))
            .map(({ id }) => id);
        for (const { id, action, class: name } of plan.steps) {
          if (action !== 'switchServing' && action !== 'shiftTraffic') continue;
          const wanted = [
            ...ids('stopOldIntake'),
            ...ids('shutOutOldWriters'),
            ...ids('reconcileBlobs', name),
            ...ids('reconcileAssets', name),
          ];
          for (const each of wanted) expect(before.get(id)).toContain(each);
        }
      }),
    );
  });

  it('takes the pointer by agreement only after the last recovery point, and nothing of the old side is owed by then', () => {
    check(
      fc.property(anyPlan, (plan) => {
        if (plan.operation !== 'switchover') return;
        const before = ancestors(plan);
        const [pointer] = plan.steps.filter(({ action }) => action === 'takePointer');
        const mine = plan.steps.filter(({ id }) => before.get(pointer?.id ?? '')?.has(id));
        const actions = new Set(mine.map(({ action }) => action));
        for (const action of ['stopOldIntake', 'drainJobs', 'sealRecoveryPoint', 'listAgain'] as const)
          expect(actions).toContain(action);
        for (const { id, mayOwe } of mine) expect(mayOwe, id).toBeUndefined();
      }),
    );
  });

  it('depends in no step on what a recovery point has that the run seals itself', () => {
    check(
      fc.property(topologyText, summary, summary, (text, one, other) => {
        const [left, right] = [one, other].map((point) =>
          compileSwitchover({ ...compileInput(text), recoveryPoint: { ...point, ref: one.ref } }),
        );
        expect(left?.steps.map(withoutTime)).toEqual(right?.steps.map(withoutTime));
      }),
    );
  });

  it('serves every class, and begins every kind of thing that there is, once', () => {
    check(
      fc.property(anyPlan, (plan) => {
        if (!rowOf(plan.operation).movesWriter) return;
        const classesOf = (action: Step['action']) =>
          plan.steps.filter((step) => step.action === action).map((step) => step.class);
        expect(classesOf('switchServing').toSorted()).toEqual([...resourceClasses].toSorted());
        for (const action of ['takePointer', 'deployTemplate', 'readmitWriters', 'resubmitJobs'] as const)
          expect(classesOf(action), action).toHaveLength(1);
      }),
    );
  });

  it('is undone newest first, each step that may have changed something once', () => {
    check(
      fc.property(
        anyPlan.chain((plan) => fc.tuple(fc.constant(plan), fc.array(ends, { minLength: 60, maxLength: 60 }))),
        ([plan, states]) => {
          const records = plan.steps.flatMap(({ id }, index): DoneStep[] => {
            const state = states[index];
            if (state === undefined) return [];
            const open = state === 'running' || state === 'failed';
            const endedAt = new Date(Date.UTC(2026, 10, 21) + index * 1000).toISOString();
            return [{ step: id, state, ...(open ? { undo: {} } : { endedAt }) }];
          });
          const undo = compileUndo(plan, 'd', records);
          const stateOf = new Map(records.map(({ step, state }) => [step, state]));
          const touched = plan.steps.filter(
            ({ id, undoable }) => undoable && stateOf.has(id) && stateOf.get(id) !== 'skipped',
          );
          expect(undo.steps.map(({ id }) => id).toSorted()).toEqual(touched.map(({ id }) => id).toSorted());
          // Nothing is taken back before what was built upon it.
          const before = ancestors(plan);
          const ended = undo.steps.filter(({ id }) => ['completed', 'owed'].includes(stateOf.get(id) ?? ''));
          for (const [index, { id }] of ended.entries())
            for (const later of ended.slice(index + 1)) expect(before.get(later.id)).not.toContain(id);
        },
      ),
    );
  });
});
