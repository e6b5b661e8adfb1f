/**
 * A look at config files through the worker of their host, on a real Temporal server: found, or unknown, and never
 * green by silence.
 */
import { randomUUID } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { NativeConnection, Worker, type WorkerOptions } from '@temporalio/worker';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, it, vi } from 'vitest';
import { createActivities } from '../../activities/index.ts';
import type { Azure } from '../../src/azure/azure.ts';
import { connectTemporal } from '../../src/client/connect.ts';
import { pollersOf } from '../../src/client/workers.ts';
import { compileFailover } from '../../src/plan/compile.ts';
import type { Plan } from '../../src/plan/plan.ts';
import { hostQueue, taskQueue } from '../../src/plan/queues.ts';
import { lookAtConfigs } from '../../src/operations/look-at-configs.ts';
import { workspaceId } from '../../src/topology/sides.ts';
import type { Topology } from '../../src/topology/topology.ts';
import { closedPort } from '../azure/server.ts';
import { compileInput, recoveryPoint } from '../plan/inputs.ts';
import { seal } from '../recovery-point/sealed.ts';
import { actionsWith, environmentsOf } from '../run/scene.ts';
import { makeStage, type Stage } from '../run/step-context.ts';
import { gate, startEngine, type Engine } from '../workflows/engine.ts';

const account = '/subscriptions/1111/resourceGroups/ml/providers/Microsoft.Storage/storageAccounts/west';
let engine: Engine;
let connection: NativeConnection;
let stage: Stage;
let folder: string;
const held = gate();
let workers: { worker: Worker; ended: Promise<void> }[];

beforeAll(async () => {
  engine = await startEngine(ownNamespace);
  connection = await NativeConnection.connect({ address: inject('temporalAddress') });
});
beforeEach(async () => {
  workers = [];
  folder = await mkdtemp(join(tmpdir(), 'understudy-look-'));
  stage = await makeStage();
  const { from, to } = stage.context('look');
  stage.arm.add(workspaceId(to.workspace), { properties: { storageAccount: account } });
  const { subscriptionId, resourceGroup, name } = from.workspace;
  await writeFile(join(folder, 'config.json'), JSON.stringify({ subscriptionId, resourceGroup, workspaceName: name }));
  await writeFile(join(folder, 'bad.json'), '{\n"a": }');
});
afterEach(async () => {
  vi.unstubAllEnvs();
  held.open();
  for (const { worker } of workers) worker.shutdown();
  await Promise.all(workers.map(({ ended }) => ended));
  await rm(folder, { recursive: true, force: true });
});
afterAll(async () => {
  await connection.close();
  await engine.close();
});

/** Another file has no worker on the product's queue, and starts runs there. */
const ownNamespace = 'hosts';

/** A worker of a host, with these activities; it polls by the time this returns. */
async function serve(host: string, activities: NonNullable<WorkerOptions['activities']>): Promise<void> {
  const worker = await Worker.create({
    connection,
    namespace: ownNamespace,
    taskQueue: hostQueue(host),
    activities,
    shutdownGraceTime: 0,
  });
  workers.push({ worker, ended: worker.run() });
  await vi.waitUntil(async () => (await pollersOf(engine.client, hostQueue(host))) > 0, { timeout: 10_000 });
}

/** What a worker of this release does. */
function activities(): Pick<ReturnType<typeof createActivities>, 'lookAtConfigs'> {
  const blobAccount = () => Promise.resolve({ endpoint: 'https://west.blob.core.windows.net/' });
  const azure = { arm: stage.arm, blobAccount } as unknown as Azure;
  const { lookAtConfigs: look } = createActivities({
    open: environmentsOf(stage.scene.store, azure),
    makePlan: () => Promise.reject(new Error('no plan is made')),
    actions: actionsWith({}),
    undos: {} as Parameters<typeof createActivities>[0]['undos'],
  });
  return { lookAtConfigs: look };
}

async function planFor(hosts: string[]): Promise<{ topology: Topology; plan: Plan }> {
  const targets = hosts.flatMap((host) => [
    `  - { host: ${host}, file: ${folder}/config.json }`,
    `  - { host: ${host}, file: ${folder}/bad.json }`,
  ]);
  const policies = 'policies: { standbyDeadline: 4s }';
  const input = compileInput(`configs:\n${targets.join('\n')}\n${policies}\n`);
  const { from } = stage.context('look');
  const startedAt = '2026-11-21T10:00:00.000Z';
  const { id, digest } = await seal(stage.scene.store, startedAt, {
    jobs: [],
    change: (content) => ({
      ...content,
      workspace: { ...content.workspace, ...from.workspace, guid: '' },
    }),
  });
  const plan = compileFailover({
    ...input,
    recoveryPoint: recoveryPoint({ ref: { id, digest, startedAt } }),
  });
  return { topology: input.topology, plan };
}

const hostNamed = (what: string) => `${what}-${randomUUID().slice(0, 8)}`;
const client = () => Promise.resolve(engine.client);
const looked = (plan: Plan) => ({
  plan,
  ...(plan.recoveryPoint ? { recoveryPoint: recoveryPoint({ ref: plan.recoveryPoint }) } : {}),
});

describe('config files of hosts', () => {
  it('are looked at where they are; of a host that does not look, they are unknown', async () => {
    const here = hostNamed('here');
    const { topology, plan } = await planFor([here]);
    // Without a worker for workflows nobody could ask, and it is told at once.
    await serve(here, activities());
    const started = Date.now();
    expect(await lookAtConfigs(topology, looked(plan), client)).toMatchObject([
      { state: 'unknown', findings: [{ found: 'no "understudy worker" runs' }] },
      { state: 'unknown' },
    ]);
    expect(Date.now() - started).toBeLessThan(4000);

    await engine.serve({ steps: [] }, taskQueue);
    const [nobody, old, hung] = [hostNamed('nobody'), hostNamed('old'), hostNamed('hung')];
    await serve(old, { rewriteConfigs: () => Promise.resolve() });
    await serve(hung, { lookAtConfigs: () => held.opened });
    const all = await planFor([here, nobody, old, hung]);
    await vi.waitFor(
      async () => {
        const looks = await lookAtConfigs(all.topology, looked(all.plan), client);
        expect(looks.map(({ host, state }) => [host, state])).toEqual([
          [here, 'ready'],
          [here, 'fails'],
          ...[nobody, old, hung].flatMap((host) => [
            [host, 'unknown'],
            [host, 'unknown'],
          ]),
        ]);
        expect(looks[0]).toEqual({
          host: here,
          target: `${folder}/config.json`,
          state: 'ready',
          files: 1,
          changes: 2,
          findings: [],
        });
        expect(looks[1]?.findings).toMatchObject([
          {
            severity: 'fails',
            file: `${folder}/bad.json`,
            line: 2,
            column: 6,
            found: 'malformed JSON: expected a value',
          },
        ]);
        expect([2, 4, 6].map((index) => looks[index]?.findings[0]?.found)).toEqual([
          `no "understudy worker --host ${nobody}" runs`,
          `"understudy worker --host ${old}" is of a release that cannot look`,
          `"understudy worker --host ${hung}" did not look within 4s`,
        ]);
      },
      { timeout: 120_000, interval: 500 },
    );
  });

  it('are unknown where Temporal cannot be reached', async () => {
    const { topology, plan } = await planFor(['train-01']);
    vi.stubEnv('TEMPORAL_ADDRESS', `127.0.0.1:${await closedPort()}`);
    const looks = await lookAtConfigs(topology, looked(plan), () => connectTemporal(1000));
    expect(looks.map(({ state }) => state)).toEqual(['unknown', 'unknown']);
    expect(looks[0]?.findings[0]).toMatchObject({
      severity: 'unknown',
      found: expect.stringMatching(/^cannot reach Temporal at 127\.0\.0\.1:/),
      next: expect.stringContaining('TEMPORAL_ADDRESS'),
    });
  });

  it('that are not declared ask nobody', async () => {
    const { topology, plan } = await planFor(['train-01']);
    const steps = plan.steps.filter(({ action }) => action !== 'rewriteConfigs');
    const ask = () => Promise.reject(new Error('asked'));
    expect(await lookAtConfigs(topology, looked({ ...plan, steps }), ask)).toEqual([]);
  });
});
