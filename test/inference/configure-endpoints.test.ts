/** Endpoints of a lost region, made in the standby from a recovery point alone: on the local Azure, over HTTPS. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { JsonObject } from '../../simulator/contract/index.ts';
import { apiVersions } from '../../src/azure/azure.ts';
import { answerError } from '../../src/azure/errors.ts';
import { configureEndpoints } from '../../src/inference/configure-endpoints.ts';
import { scoreEndpoints } from '../../src/inference/score-endpoints.ts';
import type { RecoveryPointRef } from '../../src/plan/plan.ts';
import type { StepContext } from '../../src/run/work/step-context.ts';
import { startServer } from '../azure/server.ts';
import { replicate, startScene, type Scene, type TestRun } from '../recovery-point/scene.ts';

const keys = { primaryKey: 'canary-primary', secondaryKey: 'canary-secondary' };

let scene: Scene;
let ref: RecoveryPointRef;
let failover: TestRun;

beforeAll(async () => {
  scene = await startScene();
  for (const workspace of [scene.east, scene.west])
    for (const version of ['1', '2']) await putModel(workspace, version);
  // The standby lacks this one: its deployment cannot be made there.
  await putModel(scene.east, '3');
  await putEndpoint('fraud-score', { keys });
  await putDeployment(scene.east, 'fraud-score/deployments/blue', '1', 2);
  await putDeployment(scene.east, 'fraud-score/deployments/green', '3');
  await putEndpoint('fraud-score', { traffic: { blue: 70, green: 30 } });
  await putEndpoint('idle', {});
  await putEndpoint('by-token', {}, 'AMLToken');
  await putDeployment(scene.east, 'by-token/deployments/only', '2');
  await putEndpoint('by-token', { traffic: { only: 100 } }, 'AMLToken');
  ref = (await replicate(scene.run())).ref;
  await setOutage('dark');
  failover = scene.run({ operation: 'failover', recoveryPoint: ref, epoch: 2 });
}, 120_000);
afterAll(() => scene?.close());

async function putModel(workspace: string, version: string): Promise<void> {
  await scene.fixture.put(`${workspace}/models/fraud/versions/${version}`, {
    properties: {
      modelUri: 'azureml://datastores/workspaceblobstore/paths/m/',
      modelType: 'mlflow_model',
    },
  });
}

async function putEndpoint(name: string, more: JsonObject, authMode = 'Key'): Promise<void> {
  await scene.fixture.put(`${scene.east}/onlineEndpoints/${name}`, {
    location: 'eastus',
    tags: { owner: 'ana' },
    properties: { authMode, description: 'Scores cards', ...more },
  });
}

async function putDeployment(workspace: string, path: string, version: string, capacity = 1): Promise<void> {
  await scene.fixture.put(`${workspace}/onlineEndpoints/${path}`, {
    location: workspace === scene.east ? 'eastus' : 'westus3',
    sku: { name: 'Default', capacity },
    properties: {
      endpointComputeType: 'Managed',
      instanceType: 'Standard_DS3_v2',
      model: `${workspace}/models/fraud/versions/${version}`,
      environmentVariables: { THRESHOLD: '0.7' },
    },
  });
}

async function setOutage(mode: string): Promise<void> {
  const answer = await fetch(`${scene.fixture.running.address.admin}/regions/eastus/outage`, {
    method: 'POST',
    body: JSON.stringify({ mode }),
  });
  if (!answer.ok) throw new Error(`${answer.status} ${await answer.text()}`);
}

const west = (path: string) =>
  scene.azure.arm.get(`${scene.west}/onlineEndpoints/${path}`, apiVersions.machineLearning);
const keysOf = (name: string) =>
  scene.azure.arm.post(`${scene.west}/onlineEndpoints/${name}/listKeys`, apiVersions.machineLearning);
const configure = () => failover.step('configure/inference/endpoints', 'configureEndpoints', configureEndpoints);

describe('endpoints that the standby lacks, with the active region dark', () => {
  it('are made as they were, and what cannot be made is counted as failed and named', async () => {
    const result = await configure();
    expect(result.counts).toEqual([
      {
        kind: 'endpoints and deployments',
        expected: 6,
        done: 5,
        skipped: [],
        failed: [{ reason: expect.stringContaining('versions/3') as string, count: 1 }],
      },
    ]);
    expect(result.detail).toMatch(/^5 endpoints and deployments in westus3, 5 of them created or updated; 1 failed$/);
    expect(result.lost?.join('\n')).toContain('deployment fraud-score/green');
  });

  it('serve the standby’s own models, at the size and with the settings they had', async () => {
    const blue = await west('fraud-score/deployments/blue');
    expect(blue.properties).toMatchObject({
      model: `${scene.west}/models/fraud/versions/1`,
      instanceType: 'Standard_DS3_v2',
      environmentVariables: { THRESHOLD: '0.7' },
    });
    expect(blue.sku).toMatchObject({ name: 'Default', capacity: 2 });
    expect(blue.location).toBe('westus3');
    const endpoint = await west('fraud-score');
    expect([endpoint.tags, endpoint.properties.description]).toEqual([{ owner: 'ana' }, 'Scores cards']);
  });

  it('take their clients’ keys, from escrow', async () => {
    expect(await keysOf('fraud-score')).toEqual(keys);
  });

  it('have the traffic they had; the share of one that could not be made goes to the largest, and is told', async () => {
    expect((await west('fraud-score')).properties.traffic).toEqual({ blue: 100 });
    expect((await west('by-token')).properties.traffic).toEqual({ only: 100 });
    expect((await configure()).lost).toContain(
      'endpoint fraud-score: its traffic is blue 100%, and was blue 70%, green 30%',
    );
  });

  it('are left as they are by a second run', async () => {
    const result = await configure();
    expect(result.detail).toContain(', 0 of them created or updated; 1 failed');
    expect(result.counts?.[0]).toMatchObject({ expected: 6, done: 5 });
  });

  it('leave no key in what the run keeps', () => {
    const kept = [...scene.store.documents.values()].map(({ text }) => text).join('\n');
    const told = JSON.stringify([...failover.outcomes.values()]);
    expect(`${kept}\n${told}`).not.toContain('canary-');
  });
});

describe('endpoints that the standby has', () => {
  it('serve the active side’s model again, at the standby’s own size', async () => {
    const path = 'fraud-score/deployments/blue';
    await putDeployment(scene.west, path, '2', 1);
    const result = await configure();
    expect(result.detail).toContain(', 1 of them created or updated');
    const blue = await west(path);
    expect(blue.properties.model).toBe(`${scene.west}/models/fraud/versions/1`);
    expect(blue.sku).toMatchObject({ capacity: 1 });
  });

  it('are given their clients’ keys again where somebody made new ones', async () => {
    const path = `${scene.west}/onlineEndpoints/fraud-score/regenerateKeys`;
    await scene.azure.arm.post(path, apiVersions.machineLearning, { keyType: 'Primary' });
    expect(await keysOf('fraud-score')).not.toEqual(keys);
    await configure();
    expect(await keysOf('fraud-score')).toEqual(keys);
  });

  it('keep their own keys where those of the active side are not in escrow, and that is told', async () => {
    const without = scene.run({
      operation: 'failover',
      recoveryPoint: ref,
      epoch: 2,
      topology: { escrow: undefined },
    });
    const result = await without.step('configure/inference/endpoints', 'configureEndpoints', configureEndpoints);
    expect(result.lost).toContain(
      "endpoint fraud-score: clients must take the standby's own keys: no escrow vault is declared for westus3",
    );
  });
});

it('endpoints keep their own keys where the vault refuses those in escrow, and that is told', async () => {
  const refuse = () => Promise.reject(answerError('GET secret', { status: 403, headers: { get: () => undefined } }));
  const run = scene.run({ operation: 'failover', recoveryPoint: ref, epoch: 2 });
  const result = await run.step('configure/inference/endpoints', 'configureEndpoints', (context) =>
    configureEndpoints({
      ...context,
      azure: { ...context.azure, vault: () => ({ get: refuse, set: refuse }) },
    }),
  );
  expect(result.lost).toContain(
    "endpoint fraud-score: clients must take the standby's own keys: GET secret: (HTTP 403)",
  );
});

describe('a scoring request to each', () => {
  const score = (endpoints: string[]) =>
    scene
      .run({ operation: 'failover', recoveryPoint: ref, epoch: 2 })
      .step('verify/inference/score', 'scoreEndpoints', scoreEndpoints, { endpoints });

  it('is answered with its own key or token; one without traffic is not asked', async () => {
    const result = await score(['fraud-score', 'by-token', 'idle', 'gone']);
    expect(result.state).toBe('completed');
    expect(result.detail).toMatch(
      /^fraud-score: 200 in \d+ ms; by-token: 200 in \d+ ms; idle, gone: no traffic, not asked$/,
    );
    expect(result.counts).toEqual([
      {
        kind: 'scoring requests',
        expected: 4,
        done: 2,
        skipped: [{ reason: 'the endpoint has no deployment that takes traffic', count: 2 }],
        failed: [],
      },
    ]);
  });

  it('is the one that the topology declares; an answer other than 200 fails when its time is over', async () => {
    const asked: unknown[] = [];
    const server = await startServer();
    server.answers.push(({ body, headers }) => {
      asked.push([body, headers.authorization]);
      return { status: 424 };
    });
    const run = scene.run({
      operation: 'failover',
      recoveryPoint: ref,
      epoch: 2,
      topology: { scoring: { 'fraud-score': { rows: [1] } }, policies: { probeDeadline: '1s' } },
    });
    const elsewhere = async (context: StepContext) => {
      const endpoint = await west('fraud-score');
      endpoint.properties.scoringUri = `${server.url}/score`;
      const arm = { ...context.azure.arm, find: () => Promise.resolve(endpoint) };
      return scoreEndpoints({ ...context, azure: { ...context.azure, arm } });
    };
    try {
      await expect(
        run.step('verify/inference/score', 'scoreEndpoints', elsewhere, { endpoints: ['fraud-score'] }),
      ).rejects.toMatchObject({
        code: 'PreconditionError',
        message: expect.stringMatching(/^probe endpoint fraud-score: expected 200, got 424, \d+ times$/),
        details: { next: expect.stringContaining('retry') },
      });
    } finally {
      await server.close();
    }
    expect(asked[0]).toEqual([{ rows: [1] }, `Bearer ${keys.primaryKey}`]);
    expect(asked.length).toBeGreaterThan(1);
  });

  it('is skipped where nothing takes traffic', async () => {
    expect((await score(['idle'])).state).toBe('skipped');
  });
});
