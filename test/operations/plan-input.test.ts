/**
 * What a person asks a plan for, and cannot have: bad input is told from what is damaged, and from what is so already.
 */
import { describe, expect, it } from 'vitest';
import type { Azure } from '../../src/azure/azure.ts';
import { answerError } from '../../src/azure/errors.ts';
import { ensurePointer } from '../../src/control-store/region-pointer.ts';
import type { UnderstudyError } from '../../src/errors/error.ts';
import { planMove } from '../../src/operations/plans/plan-operation.ts';
import { fakeControlStore } from '../fakes/control-store.ts';
import { seal } from '../recovery-point/sealed.ts';
import { topologyOf } from '../topology/minimal.ts';

const now = new Date('2026-11-21T10:05:00.000Z');
const topology = topologyOf('');

async function planning() {
  const store = fakeControlStore();
  await ensurePointer(store, { topology, who: 'a test', now });
  await seal(store, '2026-11-21T10:00:00.000Z');
  const refuse = () => Promise.reject(answerError('GET /x', { status: 503, headers: { get: () => undefined } }));
  const azure = { arm: { get: refuse, find: refuse }, blobAccount: refuse } as unknown as Azure;
  return { azure, store, topology, bundle: 'b'.repeat(64), now };
}

async function refusal(options: { to?: string; recoveryPoint?: string }): Promise<UnderstudyError> {
  return planMove(await planning(), 'failover', options).then(
    () => {
      throw new Error('it was planned');
    },
    (error: unknown) => error as UnderstudyError,
  );
}

describe('a recovery point', () => {
  it.each(['nope', '2026-11-21T09-00-00.000Z-e1'])('that is none is bad input: "%s"', async (recoveryPoint) => {
    const error = await refusal({ recoveryPoint });
    expect(error).toMatchObject({ code: 'UsageError', exitCode: 2 });
    expect(error.message).toMatch(new RegExp(`^--recovery-point: expected the id .* got "${recoveryPoint}"`));
    expect(error.details.next).toContain('understudy plan');
  });

  it('that is there is planned with', async () => {
    const options = { recoveryPoint: '2026-11-21T10-00-00.000Z-e1' };
    const { recoveryPoint } = await planMove(await planning(), 'failover', options);
    expect(recoveryPoint?.ref.id).toBe(options.recoveryPoint);
  });
});

describe('a region', () => {
  it('that is active already: there is nothing to do, and nothing has failed', async () => {
    expect(await refusal({ to: 'eastus' })).toMatchObject({
      code: 'NothingToDo',
      exitCode: 0,
      message: 'eastus is the active region already: there is nothing to move',
    });
  });

  it('that is not in the topology is bad input', async () => {
    expect(await refusal({ to: 'northeurope' })).toMatchObject({ code: 'TopologyError', exitCode: 2 });
  });
});
