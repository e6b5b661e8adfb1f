/** What keeps a failover from being planned, and what is only said with the plan. */
import { describe, expect, it } from 'vitest';
import type { Azure } from '../../src/azure/azure.ts';
import { answerError } from '../../src/azure/errors.ts';
import { ensurePointer, movePointer } from '../../src/control-store/region-pointer.ts';
import { planMove, planReplicate, type MoveOperation } from '../../src/operations/plans/plan-operation.ts';
import { recordDeparture } from '../../src/fence/departures.ts';
import { type MadePlan } from '../../src/operations/plans/planning.ts';
import { changeRun } from '../../src/run/journal.ts';
import { takeOver } from '../../src/topology/pointer.ts';
import { seal } from '../recovery-point/sealed.ts';
import { fakeControlStore } from '../fakes/control-store.ts';
import { makeScene } from '../run/scene.ts';
import { topologyOf } from '../topology/minimal.ts';

const now = new Date('2026-11-21T10:05:00.000Z');
const topology = topologyOf('');

/** Of a recovery point with one cluster, by somebody to whom Azure answers everything so. */
async function planWhereAllIs(status: number): Promise<MadePlan> {
  const store = fakeControlStore();
  await ensurePointer(store, { topology, who: 'a test', now });
  await seal(store, '2026-11-21T10:00:00.000Z', { clusters: ['gpu'] });
  const refuse = (tried: string) =>
    Promise.reject(answerError(`GET ${tried}`, { status, headers: { get: () => undefined } }));
  const azure = { arm: { get: refuse, find: refuse }, blobAccount: refuse } as unknown as Azure;
  return planMove({ azure, store, topology, bundle: 'b'.repeat(64), now }, 'failover');
}

describe('a quota that could not be read', () => {
  it.each([403, 404, 503])('keeps nobody from moving: Azure answered %i', async (status) => {
    const { problems, warnings } = await planWhereAllIs(status);
    expect(problems.join()).not.toContain('quota');
    expect(warnings).toContainEqual(
      expect.stringMatching(/^the quota of westus3 could not be read, and may be too small: GET .*vmSizes/),
    );
  });
});

describe('a move to a region that was never reprotected', () => {
  const planned = async (operation: MoveOperation, epochOfPoint?: number, departed = true) => {
    const store = fakeControlStore();
    await ensurePointer(store, { topology, who: 'a test', now });
    await movePointer(store, (found) => takeOver(found, 'westus3', 'the-move', now, 0));
    if (departed) await recordDeparture(store, { region: 'eastus', run: 'the-move', epoch: 2 });
    if (epochOfPoint !== undefined)
      await seal(store, '2026-11-21T10:00:00.000Z', { region: 'westus3', epoch: epochOfPoint });
    const refuse = () => Promise.reject(answerError('GET /x', { status: 503, headers: { get: () => undefined } }));
    const azure = { arm: { get: refuse, find: refuse }, blobAccount: refuse } as unknown as Azure;
    return planMove({ azure, store, topology, bundle: 'b'.repeat(64), now }, operation);
  };
  const why = 'run "the-move" has left eastus, and it has not been reprotected since';

  it('is refused for a switchover, which has time', async () => {
    const { problems } = await planned('switchover', 2);
    expect(problems).toContainEqual(`${why}. Make it a standby again once it answers: "understudy reprotect"`);
    expect((await planned('switchover', 2, false)).problems.join()).not.toContain('reprotect');
  });

  it('is only warned of for a failover, and so is a recovery point from before the last move', async () => {
    const { problems, warnings } = await planned('failover', 2);
    expect(problems.join()).not.toContain('reprotect');
    expect(warnings).toContainEqual(expect.stringContaining(`${why}: what only eastus has is in no recovery point`));
    expect(warnings.join()).not.toContain('before the last move');
    const old = await planned('failover', 1, false);
    expect(old.warnings).toContainEqual(
      expect.stringMatching(/^recovery point \S+ is from before the last move \(run "the-move"\)/),
    );
  });

  it('without a recovery point is advised what can make one', async () => {
    await expect(planned('failover')).rejects.toMatchObject({
      details: { next: expect.stringContaining('"understudy reprotect"') as string },
    });
    await expect(planned('failover', undefined, false)).rejects.toMatchObject({
      details: { next: expect.stringContaining('"understudy replicate"') as string },
    });
  });
});

describe('a recovery point', () => {
  const problemsOf = async (isTaken: boolean, state: 'failed' | 'cancelled' = 'failed') => {
    const { store, header } = await makeScene();
    const refuse = () => Promise.reject(answerError('GET /x', { status: 503, headers: { get: () => undefined } }));
    const azure = { arm: { get: refuse, find: refuse } } as unknown as Azure;
    await changeRun(store, header.runId, { state });
    if (isTaken) await movePointer(store, (found) => takeOver(found, 'westus3', header.runId, now, 0));
    const planning = { azure, store, topology, bundle: 'b'.repeat(64), now };
    return (await planReplicate(planning)).problems.join();
  };

  it('is not taken of a workspace into which an open move still brings things', async () => {
    expect(await problemsOf(true)).toMatch(
      /^run ".*-failover-0001" still moves the workspace to westus3: .*understudy retry/,
    );
  });

  it('is taken of one that a failed move has not taken over, and where no move is open', async () => {
    expect(await problemsOf(false)).toBe('');
    expect(await problemsOf(true, 'cancelled')).toBe('');
  });
});
