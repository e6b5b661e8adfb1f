/** The compiler: pure, and right about what must come before what. */
import { describe, expect, it } from 'vitest';
import { canonical } from '../../src/control-store/store.ts';
import { isUnderstudyError } from '../../src/errors/error.ts';
import { isUndoable } from '../../src/plan/actions.ts';
import { compileFailover, compileReplicate, compileReprotect, compileSwitchover } from '../../src/plan/compile.ts';
import { Plan, type Step } from '../../src/plan/plan.ts';
import { phases, resourceClasses } from '../../src/topology/words.ts';
import { compileInput, full, recoveryPoint, reversedKeys } from './inputs.ts';
import { topologyOf } from '../topology/minimal.ts';

const failover = (more?: string, point = recoveryPoint()): Plan =>
  compileFailover({ ...compileInput(more), recoveryPoint: point });

const idsOf = (plan: Plan) => plan.steps.map(({ id }) => id);

/** Every step that must be done before `id`, by way of what it needs. */
function before(plan: Plan, id: string): Set<string> {
  const byId = new Map(plan.steps.map((step) => [step.id, step]));
  const found = new Set<string>();
  const add = (each: string) => {
    for (const need of byId.get(each)?.needs ?? []) {
      if (found.has(need)) continue;
      found.add(need);
      add(need);
    }
  };
  add(id);
  return found;
}

const plans: [string, () => Plan][] = [
  ['a whole failover', () => failover()],
  [
    'one with nothing to restore',
    () => failover('', recoveryPoint({ counts: {}, computes: [], endpoints: [], jobs: {} })),
  ],
  [
    'one from the other side',
    () =>
      compileFailover({
        ...compileInput(),
        pointer: { ...compileInput().pointer, writer: 'westus3' },
        to: 'eastus',
        recoveryPoint: recoveryPoint({ region: 'westus3' }),
      }),
  ],
  ['a switchover', () => compileSwitchover({ ...compileInput(), recoveryPoint: recoveryPoint() })],
  ['a reprotection', () => compileReprotect({ ...compileInput(), isPinned: false })],
  ['a replication', () => compileReplicate(compileInput())],
];

describe.each(plans)('%s', (_what, compile) => {
  it('is the same, byte for byte, each time', () => {
    expect(canonical(compile())).toBe(canonical(compile()));
  });

  it('has each id once, and needs only what stands before', () => {
    const plan = compile();
    expect(new Set(idsOf(plan)).size).toBe(plan.steps.length);
    const seen = new Set<string>();
    for (const { id, needs } of plan.steps) {
      for (const need of needs) expect(seen, `${id} needs ${need}, which is not before it`).toContain(need);
      expect(new Set(needs).size).toBe(needs.length);
      seen.add(id);
    }
  });

  it('names actions that exist, and their undo', () => {
    for (const { action, undoable } of compile().steps) expect(undoable).toBe(isUndoable(action));
  });

  it('survives a journey as JSON', () => {
    const plan = compile();
    expect(Plan.parse(JSON.parse(JSON.stringify(plan)))).toEqual(plan);
  });
});

describe('a failover', () => {
  it('does not depend on the order of keys', () => {
    const { topology, pointer, to, bundle } = compileInput();
    const turned = compileFailover({
      topology: { ...reversedKeys(topology), artifacts: topology.artifacts },
      pointer: reversedKeys(pointer),
      to,
      bundle,
      recoveryPoint: reversedKeys(recoveryPoint()),
    });
    expect(canonical(turned)).toBe(canonical(failover()));
  });

  it('leaves what it was given as it was', () => {
    const input = { ...compileInput(), recoveryPoint: recoveryPoint() };
    const copy = structuredClone(input);
    compileFailover(input);
    expect(input).toEqual(copy);
  });

  it('orders the phases within each resource class', () => {
    const plan = failover();
    for (const name of resourceClasses) {
      const steps = plan.steps.filter((step) => step.class === name && step.phase !== undefined);
      for (const step of steps) {
        const mine = before(plan, step.id);
        const earlier = steps.filter(
          ({ phase }) => phase !== 'fence' && phases.indexOf(phase ?? 'fence') < phases.indexOf(step.phase ?? 'fence'),
        );
        // A step that nothing waits for (a config file, schedules) is not waited for.
        const waitedFor = earlier.filter(({ action }) => action !== 'rewriteConfigs' && action !== 'enableSchedules');
        if (step.phase === 'fence') continue;
        for (const { id } of waitedFor) expect(mine, `${step.id} must come after ${id}`).toContain(id);
      }
    }
  });

  it('lets the classes go side by side, held only by what they need of each other', () => {
    const plan = failover();
    const classOf = (id: string) => id.split('/')[1];
    const switching = plan.steps.find(({ id }) => id === 'switch/inference/serving');
    expect(switching).toBeDefined();
    const classes = new Set([...before(plan, 'switch/inference/serving')].map(classOf));
    expect(classes).toEqual(new Set(['platform', 'inference'])); // not data, not training
    for (const id of idsOf(plan)) {
      if (classOf(id) !== 'platform' && !id.startsWith('fence')) {
        expect(before(plan, id), id).toContain('provision/platform/template');
      }
    }
    expect([...before(plan, 'resume/training/jobs')].map(classOf)).toContain('data');
  });

  it('provisions beside the fence, and writes nothing into the standby before the pointer is taken', () => {
    const plan = failover();
    for (const { id, phase } of plan.steps) {
      if (phase === 'provision')
        expect([...before(plan, id)].filter((need) => need.startsWith('fence')).toSorted()).toEqual([
          'fence/platform/debts',
          'fence/platform/standby',
        ]);
      else if (!['pointer', 'debts', 'standby'].some((name) => id === `fence/platform/${name}`))
        expect(before(plan, id), id).toContain('fence/platform/pointer');
    }
  });

  it('takes the pointer only when the standby can serve, and nothing is owed by its region', () => {
    const plan = failover();
    expect(before(plan, 'fence/platform/standby')).toEqual(new Set());
    expect(before(plan, 'fence/platform/debts')).toEqual(new Set(['fence/platform/standby']));
    expect(before(plan, 'fence/platform/pointer')).toEqual(new Set(['fence/platform/standby', 'fence/platform/debts']));
  });

  it('names what is accepted as lost, and nothing where nothing is', () => {
    const loss = {
      id: 'storage:lake',
      kind: 'storage',
      name: 'lake',
      classes: ['data' as const],
      what: 'the lake is gone',
    };
    expect(failover()).not.toHaveProperty('acceptedLosses');
    const plan = compileFailover({
      ...compileInput(),
      recoveryPoint: recoveryPoint(),
      acceptedLosses: [loss],
    });
    expect(plan.acceptedLosses).toEqual([loss]);
    expect(plan.notes[0]).toBe('Accepted as lost: the lake is gone.');
  });

  it('waits for the jobs of the old side nowhere: whoever resumes them sees of each whether it has ended', () => {
    const plan = failover();
    for (const { id } of plan.steps) expect(before(plan, id), id).not.toContain('fence/platform/jobs');
  });

  it('predicts how long they take to stop, and says when that is longer than they may', () => {
    const stopOf = (jobs: number) => {
      const plan = failover(undefined, recoveryPoint({ jobs: { Running: jobs } }));
      return [plan.steps.find(({ action }) => action === 'stopOldJobs')?.expectedSeconds, plan.notes];
    };
    expect(stopOf(10_000)).toEqual([2106, []]);
    expect(stopOf(50_000)).toEqual([10_527, [expect.stringContaining('longer than policies.jobStopDeadline (1h)')]]);
  });

  it('switches only after schedules and writers of the old side are stopped and shut out, or that is owed', () => {
    const plan = failover();
    const fence = ['intake', 'writers'].map((name) => `fence/platform/${name}`);
    const switching = plan.steps.filter(({ phase }) => phase === 'switch' || phase === 'resume');
    expect(switching.length).toBeGreaterThan(5);
    for (const { id } of switching) {
      for (const need of fence) expect(before(plan, id), `${id} after ${need}`).toContain(need);
    }
    const early = plan.steps.filter(({ phase }) => phase === 'restore' || phase === 'configure' || phase === 'verify');
    for (const { id } of early) {
      for (const need of fence) expect(before(plan, id), `${id} need not wait for ${need}`).not.toContain(need);
    }
  });

  it('gives back what a fence took before anything is restored, configured or verified there', () => {
    const plan = failover();
    expect(before(plan, 'fence/platform/readmit')).toEqual(
      new Set([
        'fence/platform/standby',
        'fence/platform/debts',
        'fence/platform/pointer',
        'provision/platform/template',
      ]),
    );
    const later = plan.steps.filter(({ phase }) => phase !== 'fence' && phase !== 'provision');
    expect(later.length).toBeGreaterThan(20);
    for (const { id } of later) expect(before(plan, id), id).toContain('fence/platform/readmit');
    expect(before(plan, 'switch/platform/serving')).toContain('verify/platform/datastores');
  });

  it('enables schedules at the switch, after those of the other side are stopped, and holds nobody up by it', () => {
    const plan = failover();
    const mine = before(plan, 'switch/training/schedules');
    for (const id of ['fence/platform/intake', 'configure/training/schedules', 'switch/training/serving'])
      expect(mine).toContain(id);
    for (const step of plan.steps) expect(step.needs).not.toContain('switch/training/schedules');
  });

  it('rewrites each config target on its host, after every class is verified, and holds nobody up by it', () => {
    const plan = failover();
    const configs = plan.steps.filter(({ action }) => action === 'rewriteConfigs');
    expect(configs.map(({ host, input }) => [host, input.target])).toEqual([
      ['train-01', 0],
      ['train-02', 1],
    ]);
    const verified = plan.steps.filter(({ phase }) => phase === 'verify');
    expect(new Set(verified.map((step) => step.class))).toEqual(new Set(resourceClasses));
    for (const { id } of configs) {
      for (const step of verified) expect(before(plan, id)).toContain(step.id);
      for (const step of plan.steps) expect(step.needs, `${step.id} must not wait for ${id}`).not.toContain(id);
    }
  });

  it('proves each class by a probe of its public address only after it serves', () => {
    const plan = failover();
    expect(before(plan, 'switch/inference/probes')).toContain('switch/inference/serving');
    expect(before(plan, 'switch/inference/probes')).toContain('switch/inference/traffic');
    expect(before(plan, 'switch/platform/probes')).toContain('switch/platform/serving');
    expect(idsOf(plan)).not.toContain('switch/training/probes');
    expect(idsOf(failover(''))).not.toContain('switch/inference/probes');
  });

  it('resubmits jobs last, when training and its data serve', () => {
    const plan = failover();
    const mine = before(plan, 'resume/training/jobs');
    for (const name of ['platform', 'data', 'training']) expect(mine).toContain(`switch/${name}/serving`);
    const step = plan.steps.find(({ id }) => id === 'resume/training/jobs');
    expect(step?.title).toContain('19 interrupted jobs');
  });

  it('goes from the writer to the region that it is given, in the epoch of the pointer', () => {
    const { pointer } = compileInput();
    const plan = compileFailover({
      ...compileInput(),
      pointer: { ...pointer, writer: 'westus3', epoch: { number: 7, issuer: 'control-store' } },
      to: 'eastus',
      recoveryPoint: recoveryPoint(),
    });
    expect(plan).toMatchObject({ from: 'westus3', to: 'eastus', madeInEpoch: 7, operation: 'failover' });
    expect(plan.recoveryPoint).toEqual(recoveryPoint().ref);
    expect(plan.notes).toContain('The recovery point is of eastus, but westus3 is the writer.');
  });

  it('says what nobody will prove or change', () => {
    expect(failover().notes).toEqual([]);
    expect(failover('', recoveryPoint({ fuzzy: 2 })).notes).toEqual([
      '2 assets changed while they were copied (fuzzy).',
      'No traffic front is declared: clients of the endpoints must change their address themselves.',
      'No probes are declared: nothing proves that clients reach the standby.',
      'No config files are declared: none is rewritten.',
    ]);
  });

  it.each(['hot-hot', 'hot-cold'] as const)('of a class that is %s is refused by name', (strategy) => {
    const { topology } = compileInput(full);
    const strategies = { ...topology.strategies, training: strategy };
    try {
      compileFailover({
        ...compileInput(),
        topology: { ...topologyOf(full), strategies },
        recoveryPoint: recoveryPoint(),
      });
      expect.unreachable('it was compiled');
    } catch (error) {
      if (!isUnderstudyError(error)) throw error;
      expect(error.code).toBe('PreconditionError');
      expect(error.message).toContain(`strategies.training: "${strategy}"`);
      expect(error.message).toContain('expected "hot-warm"');
    }
  });
});

describe('a replication', () => {
  it('is one chain: scrub, list, copy, escrow, seal, copy the state, report damage', () => {
    const plan = compileReplicate(compileInput());
    expect(
      plan.steps.map(({ id, action, needs }): Pick<Step, 'id' | 'action' | 'needs'> => ({
        id,
        action,
        needs,
      })),
    ).toEqual([
      { id: 'scrub', action: 'scrubReplicas', needs: [] },
      { id: 'list', action: 'listActive', needs: ['scrub'] },
      { id: 'copy', action: 'copyBlobs', needs: ['list'] },
      { id: 'escrow', action: 'escrowSecrets', needs: ['copy'] },
      { id: 'seal', action: 'sealRecoveryPoint', needs: ['escrow'] },
      { id: 'mirror', action: 'mirrorState', needs: ['seal'] },
      { id: 'damage', action: 'reportDamage', needs: ['seal'] },
    ]);
    expect(plan.steps.every(({ phase }) => phase === undefined)).toBe(true);
    expect(plan.recoveryPoint).toBeUndefined();
  });
});

describe('a reprotection', () => {
  const plan = compileReprotect({ ...compileInput(), isPinned: false });

  it('writes nothing in the region that was left before its divergence point is sealed', () => {
    const seal = plan.steps.find(({ provides }) => provides?.includes('divergence-point'))?.id ?? '';
    for (const { id, to } of plan.steps.filter((step) => step.to === 'westus3')) {
      if (to === plan.to) expect([...before(plan, id)], id).toContain(seal);
    }
    const found = plan.steps.filter(({ id }) => id.startsWith('found-'));
    expect(found.map(({ from, to }) => [from, to])).toEqual(found.map(() => ['westus3', 'eastus']));
  });

  it('gives back nothing before all is paid, and takes the first recovery point after that', () => {
    expect(before(plan, 'readmit')).toContain('pay');
    expect(before(plan, 'list')).toContain('readmit');
    expect(plan.steps.find(({ id }) => id === 'pay')?.mayOwe).toBeUndefined();
  });

  it('seals no second divergence point', () => {
    const again = compileReprotect({ ...compileInput(), isPinned: true });
    expect(again.steps.filter(({ id }) => id.startsWith('found-'))).toEqual([]);
  });
});
