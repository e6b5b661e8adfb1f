/**
 * A replication that a failover has overtaken: nobody retries it, and whoever is told of it is told what to do instead.
 */
import { beforeEach, expect, it } from 'vitest';
import { movePointer } from '../../../src/control-store/region-pointer.ts';
import { ofRuns } from '../../../src/operations/run-findings.ts';
import { retryRun } from '../../../src/operations/runs/retry-run.ts';
import type { Session } from '../../../src/operations/session.ts';
import type { StatusInput } from '../../../src/operations/status-shape.ts';
import { buildReport } from '../../../src/report/report.ts';
import { loadReportInput } from '../../../src/report/load.ts';
import { changeRun, requireRun } from '../../../src/run/journal.ts';
import { notify, type Notification } from '../../../src/run/notify.ts';
import { overtakenBy } from '../../../src/run/overtaken.ts';
import { began, makeScene, type Scene } from '../../run/scene.ts';
import { topologyOf } from '../../topology/minimal.ts';
import { fakeTemporal, type FakeTemporal } from './fake-temporal.ts';

const instead = 'Run "understudy replicate" for a recovery point of westus3.';

let scene: Scene;
let temporal: FakeTemporal;
let session: Session;

beforeEach(async () => {
  scene = await makeScene('replicate');
  temporal = fakeTemporal();
  session = { store: scene.store, topology: topologyOf() } as unknown as Session;
  const [seal] = scene.plan.steps.slice(-1);
  await scene.record(seal?.id ?? '', 'failed', { error: { code: 'FencedError', message: 'the epoch is 2' } });
  await changeRun(scene.store, scene.header.runId, { state: 'running' });
  await changeRun(scene.store, scene.header.runId, { state: 'failed', endedAt: began.toISOString() });
});

const overtake = () =>
  movePointer(scene.store, (pointer) => ({
    ...pointer,
    writer: 'westus3',
    epoch: { ...pointer.epoch, number: pointer.epoch.number + 1 },
  }));
const retry = (loss?: Parameters<typeof retryRun>[3]) => retryRun(session, temporal.client, scene.header.runId, loss);

it('is refused before anything is started', async () => {
  await overtake();
  await expect(retry()).rejects.toMatchObject({
    code: 'PreconditionError',
    message: `run "${scene.header.runId}" is overtaken by a move to westus3 (epoch 2): it cannot be retried`,
    details: { next: instead },
  });
  expect(temporal.started).toEqual([]);
});

it('is retried, with an accepted loss too, as long as nothing has moved', async () => {
  expect(await retry({ steps: ['damage'], reason: 'INC-4711' })).toMatchObject({ started: true });
  expect((await requireRun(scene.store, scene.header.runId)).accepted).toHaveProperty('damage');
});

it('is ended by retry if it was cancelled: the retry does nothing else', async () => {
  await changeRun(scene.store, scene.header.runId, { state: 'undoing', cancelled: { by: 'ana', at: 'then' } });
  await overtake();
  expect(await retry()).toMatchObject({ started: true });
});

it('is no failure in status, and says what to do', async () => {
  await overtake();
  const run = await requireRun(scene.store, scene.header.runId);
  const status = { newestReplicate: run, runs: [] };
  const found = { status, session, now: began, overtaken: await overtakenBy(scene.store, run) };
  expect(ofRuns(found as unknown as StatusInput)).toEqual([
    {
      severity: 'warning',
      what: `run "${run.runId}" (replicate, eastus → westus3) was overtaken by a move to westus3 (epoch 2)`,
      next: instead,
    },
  ]);
});

it('says so in its report and in its notification', async () => {
  await overtake();
  const report = buildReport(await loadReportInput(scene.store, scene.header.runId, began));
  expect(report.tasks).toMatchObject([
    { tasks: [{ urgency: 'again', what: expect.stringContaining('nothing is wrong with it'), action: instead }] },
  ]);
  const told: Notification[] = [];
  await notify(scene.store, scene.header.runId, topologyOf('notify: [{ webhookFrom: PAGER }]\n'), {
    environment: { PAGER: 'https://pager.example' },
    send: (_url, body) => Promise.resolve(void told.push(body)),
  });
  expect(told.map(({ next }) => next)).toEqual([instead]);
});

it('is overtaken by nothing while the pointer cannot be read', async () => {
  await scene.store.write('pointer.json', '{"version":2}', 'application/json');
  expect(await overtakenBy(scene.store, scene.header)).toBeUndefined();
});
