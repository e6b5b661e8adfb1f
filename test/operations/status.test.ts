/** What `status` finds of what was copied and sealed, and of what both workspaces use. */
import { describe, expect, it } from 'vitest';
import { folderOf } from '../../src/recovery-point/manifest.ts';
import { changeScrubLedger } from '../../src/recovery-point/scrub-ledger.ts';
import type { Azure } from '../../src/azure/azure.ts';
import { ensurePointer } from '../../src/control-store/region-pointer.ts';
import type { ControlStore } from '../../src/control-store/store.ts';
import { release } from '../../src/release.ts';
import { changeRun, openRun } from '../../src/run/journal.ts';
import type { Session } from '../../src/operations/session.ts';
import { readStatus } from '../../src/operations/status.ts';
import type { StatusFinding } from '../../src/operations/documents/status.ts';
import { worstOf } from '../../src/operations/status-shape.ts';
import { recordStoppedIntake } from '../../src/fence/shut-out-record.ts';
import { takeRunLease } from '../../src/run/lease.ts';
import { seal } from '../recovery-point/sealed.ts';
import { counting } from '../fakes/counting-store.ts';
import { fakeControlStore, type FakeControlStore } from '../fakes/control-store.ts';
import { topologyOf } from '../topology/minimal.ts';

const sealedAt = '2026-11-21T10:00:00.000Z';
const now = new Date('2026-11-21T10:01:00.000Z');

/** Both workspaces answer; `accounts`: the default storage of each. */
function sessionOf(store: ControlStore, accounts = ['/east', '/west']): Session {
  const account = (id: string) => accounts[id.includes('west') ? 1 : 0];
  const workspace = (id: string) => ({
    id,
    name: id.split('/').at(-1),
    properties: { storageAccount: account(id), provisioningState: 'Succeeded' },
  });
  const azure = {
    arm: {
      get: (id: string) => Promise.resolve(workspace(id)),
      find: (id: string) => Promise.resolve(workspace(id)),
      list: () => [],
    },
    blobAccount: (id: string) => Promise.resolve({ name: id, service: { getProperties: () => Promise.resolve({}) } }),
  } as unknown as Azure;
  return { azure, topology: topologyOf(''), store } as unknown as Session;
}

async function usedStore(): Promise<FakeControlStore> {
  const store = fakeControlStore();
  await ensurePointer(store, { topology: topologyOf(''), who: 'a test', now });
  return store;
}

async function findings(session: Session): Promise<StatusFinding[]> {
  const status = await readStatus(session, undefined, now);
  return status.findings.filter(({ what }) => !what.startsWith('Temporal does not answer'));
}

describe('a recovery point', () => {
  it('that is whole is nothing to act on', async () => {
    const store = await usedStore();
    await seal(store, sealedAt);
    expect(await findings(sessionOf(store))).toEqual([]);
  });

  it('of which a part is altered could not be restored, whole as its seal is', async () => {
    const store = await usedStore();
    const { id, parts } = await seal(store, sealedAt);
    const name = `${folderOf(1, id)}/${parts[0]?.name}`;
    const { text } = store.documents.get(name) ?? { text: '' };
    await store.write(name, text.replace('"b"', '"c"'), 'application/x-ndjson');
    const found = await findings(sessionOf(store));
    expect(found).toMatchObject([
      { severity: 'critical', kind: 'damaged' },
      { severity: 'critical', what: 'no recovery point of eastus: nothing could be restored' },
    ]);
    expect(found[0]?.what).toContain(id);
    expect(worstOf({ findings: found })).toBe('critical');
  });

  it('of which the scrub found a part missing is named, until a person has accepted it', async () => {
    const store = await usedStore();
    const old = await seal(store, '2026-11-20T10:00:00.000Z');
    await seal(store, sealedAt);
    const mark = (accepted: boolean) =>
      changeScrubLedger(store, ({ points }) => {
        const damaged = [{ part: 'jobs-0001.ndjson', problem: 'jobs-0001.ndjson is missing' }];
        points[old.id] = { readAt: sealedAt, bytes: 1, damaged, ...(accepted ? { accepted } : {}) };
      });
    await mark(false);
    expect(await findings(sessionOf(store))).toMatchObject([
      { severity: 'warning', kind: 'damaged', what: expect.stringContaining(old.id) as string },
    ]);
    await mark(true);
    expect(await findings(sessionOf(store))).toEqual([]);
  });
});

describe('the end of a run', () => {
  const topology = topologyOf('notify: [{ webhookFrom: PAGER }]\n');
  const failed = (endedAt: string, notified = {}) => ({
    runId: 'r1',
    topology: topology.name,
    operation: 'replicate' as const,
    bundle: 'b',
    reason: 'by cron',
    triggeredBy: 'cron',
    triggeredAt: sealedAt,
    state: 'failed' as const,
    endedAt,
    ...notified,
  });
  const told = async (run: ReturnType<typeof failed>) => {
    const store = await usedStore();
    await seal(store, sealedAt);
    await openRun(store, run);
    await changeRun(store, run.runId, { state: 'failed' });
    const found = await findings({ ...sessionOf(store), topology });
    return found.map(({ what }) => what).filter((what) => what.includes('webhook'));
  };
  const longAgo = '2026-11-21T09:00:00.000Z';

  it('that nobody was told of is said, and why; not while a worker may be at it', async () => {
    expect(await told(failed(longAgo))).toEqual([
      'the webhook of PAGER was not told how run "r1" ended: no worker was there to do it in time',
    ]);
    expect(await told(failed(longAgo, { notified: { PAGER: { of: longAgo, problem: 'HTTP 500' } } }))).toEqual([
      'the webhook of PAGER was not told how run "r1" ended: HTTP 500',
    ]);
    expect(await told(failed(longAgo, { notified: { PAGER: { of: longAgo } } }))).toEqual([]);
    expect(await told(failed(sealedAt))).toEqual([]);
  });

  it('whose report was not written is said, and how to write it; not of an earlier end', async () => {
    const reported = async (of: string) => {
      const store = await usedStore();
      await seal(store, sealedAt);
      const run = { ...failed(longAgo), operation: 'failover' as const };
      await openRun(store, run);
      await changeRun(store, run.runId, { state: 'completed', reported: { of, problem: '403 Forbidden' } });
      const found = await findings(sessionOf(store));
      return found.filter(({ what }) => what.includes('report'));
    };
    expect(await reported(longAgo)).toEqual([
      {
        severity: 'warning',
        what: 'the report of run "r1" was not written: 403 Forbidden',
        next: 'Write it: understudy report r1',
      },
    ]);
    expect(await reported(sealedAt)).toEqual([]);
  });
});

describe('what is owed', () => {
  it('counts no more in the region that is the writer, and a debt that cannot be read is named', async () => {
    const store = await usedStore();
    await seal(store, sealedAt);
    const owed = { what: 'shut out', reason: 'dark', step: 's', run: 'r', owedSince: sealedAt };
    const write = (region: string) =>
      store.write(
        `debts/${region}/writers.json`,
        JSON.stringify({ kind: 'writers', region, ...owed, version: 1, release }),
        'application/json',
      );
    await write('eastus');
    expect(await findings(sessionOf(store))).toEqual([]);
    await write('westus3');
    expect(await findings(sessionOf(store))).toMatchObject([{ kind: 'owed' }]);
    await store.write('debts/westus3/writers.json', '{"version": 9}', 'application/json');
    expect(await findings(sessionOf(store))).toMatchObject([
      { kind: 'damaged', what: expect.stringContaining('debts/westus3/writers.json') as string },
    ]);
  });
});

describe('protection', () => {
  const protectionIn = async (documents: Record<string, string>) => {
    const store = await usedStore();
    await seal(store, sealedAt);
    for (const [name, text] of Object.entries(documents)) await store.write(name, text, 'application/json');
    return (await readStatus(sessionOf(store), undefined, now)).protection;
  };

  it('is there with a recovery point and a standby', async () => {
    expect(await protectionIn({})).toEqual({ protected: true, missing: [] });
  });

  it.each(['departures/westus3.json', 'debts/westus3/writers.json', 'fence/westus3/taken-writers.json'])(
    'is not claimed where %s cannot be read',
    async (name) => {
      const missing = ['whether westus3 is a standby cannot be read'];
      expect(await protectionIn({ [name]: '{"version": 9}' })).toEqual({ protected: false, missing });
    },
  );
});

it('a lost pointer leaves nobody to be called the writer', async () => {
  const store = fakeControlStore();
  await seal(store, sealedAt);
  const status = await readStatus(sessionOf(store), undefined, now);
  expect(status).not.toHaveProperty('writer');
  expect(status).not.toHaveProperty('recoveryPoint');
  expect(status.findings.map(({ what }) => what).join()).toContain('the region pointer is missing');
});

it('the ledger of the scrub that cannot be read is said', async () => {
  const store = await usedStore();
  await seal(store, sealedAt);
  await store.write('replicas/scrub.json', '{"version": 7}', 'application/json');
  expect(await findings(sessionOf(store))).toMatchObject([{ severity: 'warning', kind: 'damaged' }]);
});

describe('a run', () => {
  const place = 'runs/20261021T100000Z-failover-0001/run.json';

  it('that cannot be read is named, and the rest is shown all the same', async () => {
    const store = await usedStore();
    await seal(store, sealedAt);
    await store.write(place, '{ "version": 2, "release": "0.2.0" }', 'application/json');
    expect(await findings(sessionOf(store))).toMatchObject([
      {
        severity: 'warning',
        kind: 'damaged',
        what: expect.stringContaining(`run "${place}", written by release 0.2.0: `) as string,
        next: expect.stringContaining('put it back') as string,
      },
    ]);
  });

  it('that is open, and cannot be read, is named once; a run lease that cannot be read is named, too', async () => {
    const store = await usedStore();
    await seal(store, sealedAt);
    await takeRunLease(store, { runId: '20261021T100000Z-failover-0001', now });
    await store.write(place, '{}', 'application/json');
    expect((await findings(sessionOf(store))).map(({ kind }) => kind)).toEqual(['damaged']);
    await store.write('run-lease.json', 'no JSON', 'application/json');
    expect((await findings(sessionOf(store))).map(({ what }) => what)).toEqual([
      expect.stringContaining('run-lease.json'),
      expect.stringContaining(place),
    ]);
  });
});

describe('a history', () => {
  const replicate = (runId: string) => ({
    runId,
    topology: 'fraud-ml',
    operation: 'replicate' as const,
    bundle: 'b',
    reason: 'by cron',
    triggeredBy: 'cron',
    triggeredAt: sealedAt,
  });
  const costOf = async (count: number) => {
    const store = await usedStore();
    await openRun(store, replicate('20261101T000000Z-replicate-left'));
    for (let index = 0; index < count; index++) {
      const at = new Date(Date.now() - index * 60_000).toISOString();
      await seal(store, at);
      const runId = `${at.replaceAll(/[-:]|[.]\d+/g, '')}-replicate-0001`;
      await openRun(store, replicate(runId));
      await changeRun(store, runId, { state: 'completed' });
    }
    const counted = counting(store);
    const status = await readStatus(sessionOf(counted.store), undefined, new Date());
    expect(status.runs).toMatchObject([{ runId: '20261101T000000Z-replicate-left', state: 'pending' }]);
    expect(status.recoveryPoint).toBeDefined();
    expect(status.newestReplicate).toMatchObject({ state: 'completed' });
    return counted.asked.reads;
  };

  it('of two hundred recovery points costs as many reads as one of twenty, and hides no run that is left open', async () => {
    expect(await costOf(200)).toBe(await costOf(20));
  });
});

describe('two workspaces', () => {
  it('with one default storage account cannot stand in for each other', async () => {
    const store = await usedStore();
    await seal(store, sealedAt);
    const one = '/subscriptions/s/resourceGroups/g/providers/Microsoft.Storage/storageAccounts/one';
    const found = await findings(sessionOf(store, [one, one]));
    expect(found).toMatchObject([{ severity: 'critical', what: expect.stringContaining('one') as string }]);
  });
});

describe('schedules of the active region that a run has stopped', () => {
  const stop = async (store: FakeControlStore) =>
    recordStoppedIntake(store, { region: 'eastus', run: 'the-switchover', schedules: ['nightly', 'hourly'] }, now);
  const enabled = (names: string[]) => {
    const schedules = names.map((name) => ({ id: name, name, properties: { isEnabled: true } }));
    return (session: Session) => {
      session.azure.arm.list = ((path: string) => (path.includes('/schedules') ? schedules : [])) as never;
      return session;
    };
  };

  it('and nothing has enabled again are named, but for those that somebody has', async () => {
    const store = await usedStore();
    await seal(store, sealedAt);
    await stop(store);
    expect(await findings(enabled(['hourly'])(sessionOf(store)))).toEqual([
      expect.objectContaining({
        severity: 'critical',
        what: 'run "the-switchover" has stopped schedules of eastus, the active region, and nothing has enabled them again: nightly',
      }),
    ]);
    expect(await findings(enabled(['hourly', 'nightly'])(sessionOf(store)))).toEqual([]);
  });

  it('are that run’s while a move is open', async () => {
    const store = await usedStore();
    await seal(store, sealedAt);
    await stop(store);
    await takeRunLease(store, { runId: 'another', now });
    const found = await findings(enabled([])(sessionOf(store)));
    expect(found.filter(({ what }) => what.includes('schedules'))).toEqual([]);
  });
});
