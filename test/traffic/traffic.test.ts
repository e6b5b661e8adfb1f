/** Traffic and capacity: shifted, proved through the public address, and put back as they were. */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { scaleComputes, scaleComputesBack } from '../../src/provision/scale-computes.ts';
import { scaleDeployments, scaleDeploymentsBack } from '../../src/provision/scale-deployments.ts';
import { probePublicAddress } from '../../src/traffic/probe.ts';
import { shiftTraffic, shiftTrafficBack } from '../../src/traffic/shift-traffic.ts';
import { readStep } from '../../src/run/journal.ts';
import { workspaceId } from '../../src/topology/sides.ts';
import type { Step } from '../../src/plan/plan.ts';
import { topologyOf } from '../topology/minimal.ts';
import { makeStage, type Stage } from '../run/step-context.ts';

let stage: Stage;
const front =
  'traffic: { frontDoor: { subscriptionId: 11111111-2222-3333-4444-555555555555, resourceGroup: g, profile: fraud, originGroup: score, origins: { eastus: east, westus3: west } } }\n';
beforeEach(async () => {
  stage = await makeStage(front);
});

const origin = (name: string) =>
  `/subscriptions/11111111-2222-3333-4444-555555555555/resourceGroups/g/providers/Microsoft.Cdn/profiles/fraud/originGroups/score/origins/${name}`;
const at = (id: string) => stage.arm.resources.get(id.toLowerCase());
/** What a step has recorded for its undo before it changed anything. */
const keptUndo = async (id: string) => (await readStep(stage.scene.store, stage.scene.header.runId, id))?.undo;
const step = (id: string, input: Record<string, unknown>): Step => ({
  id,
  class: 'inference',
  action: 'shiftTraffic',
  title: id,
  needs: [],
  input,
  undoable: true,
});

describe('traffic', () => {
  const id = 'switch/inference/traffic';
  beforeEach(() => {
    stage.arm.add(origin('east'), {
      properties: { enabledState: 'Enabled', weight: 900, priority: 1, hostName: 'e' },
    });
    stage.arm.add(origin('west'), {
      properties: { enabledState: 'Disabled', weight: 100, priority: 2, hostName: 'w' },
    });
  });

  it('goes to the standby, and does not go back by itself', async () => {
    expect(await shiftTraffic(stage.context(id))).toMatchObject({
      state: 'completed',
      detail: 'fraud/score: westus3 takes all traffic',
    });
    expect(at(origin('west'))?.properties).toEqual({
      enabledState: 'Enabled',
      weight: 1000,
      priority: 1,
      hostName: 'w',
    });
    expect(at(origin('east'))?.properties).toMatchObject({ enabledState: 'Disabled', weight: 900 });
    const changes = stage.arm.requests.filter((request) => request.startsWith('PATCH'));
    expect(changes.map((request) => request.split('/').at(-1))).toEqual(['west', 'east']); // never is there none
  });

  it('goes back as it was, though the first attempt was broken off', async () => {
    stage.arm.faults.push({ method: 'PATCH', path: /east$/, kind: 'lost', times: 1 });
    const context = stage.context(id);
    await expect(shiftTraffic(context)).rejects.toThrow('no answer');
    await shiftTraffic(context);
    await shiftTrafficBack(context, await keptUndo(id));
    expect(at(origin('east'))?.properties).toMatchObject({
      enabledState: 'Enabled',
      weight: 900,
      priority: 1,
    });
    expect(at(origin('west'))?.properties).toMatchObject({
      enabledState: 'Disabled',
      weight: 100,
      priority: 2,
    });
  });

  it('is not said to be shifted before Azure says so itself', async () => {
    const { arm } = stage;
    const slow = { ...arm, patch: (path: string) => arm.get(path, 'x') };
    const context = stage.context(id, { azure: { arm: slow } as never });
    await expect(shiftTraffic(context)).rejects.toMatchObject({
      code: 'NotYetError',
      message: 'origin west: expected enabledState "Enabled", got "Disabled"; weight 1000, got 100; priority 1, got 2',
    });
  });

  it('without a front is nothing to shift; with half of one it is refused', async () => {
    expect(await shiftTraffic(stage.context(id, { topology: topologyOf() }))).toMatchObject({
      state: 'skipped',
    });
    expect(() => topologyOf(front.replace(', westus3: west', ''))).toThrow(
      'traffic.frontDoor.origins: expected one for each region, got none for "westus3"',
    );
  });
});

describe('computes', () => {
  const id = 'provision/training/computes';
  const compute = (name: string) => `${workspaceId(stage.context(id).to.workspace)}/computes/${name}`;
  /** Without a recovery point only the plan's summary of a cluster is known. */
  const context = () => {
    const { recoveryPoint: _, ...plan } = stage.context(id).plan;
    return stage.context(id, {
      plan,
      step: step(id, {
        computes: [
          { name: 'gpu-east', type: 'AmlCompute', vmSize: 'STANDARD_NC4AS_T4_V3', maxNodes: 8 },
          { name: 'cpu', type: 'AmlCompute', vmSize: 'STANDARD_DS3_V2', maxNodes: 4 },
          { name: 'ada', type: 'ComputeInstance', vmSize: 'STANDARD_DS3_V2' },
        ],
        names: { 'gpu-east': 'gpu-west' },
      }),
    });
  };
  const settings = (name: string) =>
    (at(compute(name))?.properties.properties as Record<string, unknown> | undefined)?.scaleSettings;
  beforeEach(() => {
    const scaleSettings = { minNodeCount: 0, maxNodeCount: 1, nodeIdleTimeBeforeScaleDown: 'PT5M' };
    stage.arm.add(compute('gpu-west'), {
      properties: {
        computeType: 'AmlCompute',
        properties: { vmSize: 'STANDARD_NC4AS_T4_V3', scaleSettings },
      },
    });
  });

  it('grow to what the active ones could, by their own names, and are made where there are none', async () => {
    const result = await scaleComputes(context());
    expect(result.detail).toBe('2 clusters may grow as far as they could in eastus, 1 of them created');
    expect(result.counts?.[0]).toMatchObject({ expected: 3, done: 2, skipped: [{ count: 1 }], failed: [] });
    expect(settings('gpu-west')).toEqual({
      minNodeCount: 0,
      maxNodeCount: 8,
      nodeIdleTimeBeforeScaleDown: 'PT5M',
    });
    expect(settings('cpu')).toMatchObject({ minNodeCount: 0, maxNodeCount: 4 });
    expect(at(compute('cpu'))).toMatchObject({
      location: 'westus3',
      properties: { computeType: 'AmlCompute' },
    });
    expect(at(compute('ada'))).toBeUndefined();
    expect(at(compute('gpu-east'))).toBeUndefined();
  });

  it('that Azure refuses to scale are not taken for clusters that were not created', async () => {
    const refused = { status: 400, code: 'QuotaExceeded' };
    stage.arm.faults.push({ method: 'PATCH', path: /computes\/gpu-west/, kind: refused, times: 1 });
    expect((await scaleComputes(context())).detail).toBe(
      '1 clusters may grow as far as they could in eastus, 1 of them created; 1 failed',
    );
  });

  it('shrink to what they were, and those that were made go', async () => {
    stage.arm.faults.push({ method: 'PUT', path: /computes\/cpu/, kind: 'lost', times: 1 });
    await expect(scaleComputes(context())).rejects.toThrow('no answer');
    await scaleComputes(context());
    expect(await scaleComputesBack(context(), await keptUndo(context().step.id))).toBe(
      '1 clusters scaled back, 1 removed',
    );
    expect(settings('gpu-west')).toMatchObject({ minNodeCount: 0, maxNodeCount: 1 });
    expect(at(compute('cpu'))).toBeUndefined();
  });
});

describe('deployments', () => {
  const id = 'provision/inference/deployments';
  const deployment = (name: string) =>
    `${workspaceId(stage.context(id).to.workspace)}/onlineEndpoints/score/deployments/${name}`;
  const context = () =>
    stage.context(id, {
      step: step(id, {
        endpoints: [
          {
            name: 'score',
            deployments: [
              { name: 'blue', instanceCount: 3 },
              { name: 'green', instanceCount: 2 },
            ],
          },
        ],
      }),
    });

  it('get as many instances as the active ones had, and shrink again', async () => {
    stage.arm.add(deployment('blue'), { properties: {}, sku: { name: 'Default', capacity: 1 } });
    const result = await scaleDeployments(context());
    expect(result.detail).toBe('1 of 2 deployments there, 1 scaled up; 1 made in configure');
    expect(result.counts).toMatchObject([{ expected: 2, done: 1, skipped: [{ count: 1 }], failed: [] }]);
    expect(at(deployment('blue'))?.sku).toEqual({ name: 'Default', capacity: 3 });
    await scaleDeployments(context()); // a second attempt knows what the first one found
    expect(await scaleDeploymentsBack(context(), await keptUndo(id))).toBe('1 deployment scaled back');
    expect(at(deployment('blue'))?.sku).toEqual({ name: 'Default', capacity: 1 });
  });

  it('that Azure refuses to scale hold up no others, and are told', async () => {
    for (const name of ['blue', 'green'])
      stage.arm.add(deployment(name), { properties: {}, sku: { name: 'Default', capacity: 1 } });
    const refused = { status: 400, code: 'QuotaExceeded' };
    stage.arm.faults.push({ method: 'PATCH', path: /blue/, kind: refused, times: 1 });
    const result = await scaleDeployments(context());
    expect(result.detail).toBe('2 of 2 deployments there, 1 scaled up; 1 failed');
    expect(result.counts).toMatchObject([{ expected: 2, done: 1, failed: [{ count: 1 }] }]);
    expect(result.lost?.[0]).toMatch(/deployment score\/blue.*QuotaExceeded/);
    expect(at(deployment('green'))?.sku).toEqual({ name: 'Default', capacity: 2 });
  });
});

describe('a probe', () => {
  let server: Server;
  let statuses: number[];
  let asked: { method: string | undefined; body: string; type: string | undefined }[];
  beforeEach(async () => {
    statuses = [];
    asked = [];
    server = createServer((request, response) => {
      let body = '';
      request.on('data', (chunk: Buffer) => (body += chunk.toString()));
      request.on('end', () => {
        asked.push({ method: request.method, body, type: request.headers['content-type'] });
        response.writeHead(statuses.length > 1 ? (statuses.shift() ?? 200) : (statuses[0] ?? 200)).end('{}');
      });
    });
    await new Promise<void>((resolve) => {
      server.listen(0, '127.0.0.1', resolve);
    });
  });
  afterEach(
    () =>
      new Promise<void>((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  );
  const url = () => `http://127.0.0.1:${(server.address() as AddressInfo).port}/score`;
  const id = 'switch/inference/probes';

  it('is sent as declared, until it is answered as expected', async () => {
    statuses = [503, 503, 200];
    const topology = topologyOf(
      `probes: [{ http: "${url()}", method: POST, body: { a: 1 } }, { http: "http://x.invalid/", class: data }]\n`,
    );
    const result = await probePublicAddress(stage.context(id, { topology }));
    expect(result).toMatchObject({
      state: 'completed',
      detail: expect.stringMatching(/\/score: 200 \(slowest \d+ ms\)$/),
      counts: [{ kind: 'probes', expected: 1, done: 1 }],
    });
    expect(asked).toHaveLength(3);
    expect(asked[0]).toEqual({ method: 'POST', body: '{"a":1}', type: 'application/json' });
    expect(stage.told.map(({ unit }) => unit)).toEqual([`probes of ${url()}: got 503`, `probes of ${url()}: got 503`]);
  });

  it('that never passes fails when its time is up, with what was answered', async () => {
    statuses = [404];
    const topology = topologyOf(`probes: [{ http: "${url()}" }]\npolicies: { probeDeadline: 5m }\n`);
    const context = stage.context(id, {
      topology,
      now: () => {
        stage.scene.clock.forward(4 * 60_000);
        return stage.scene.clock.now();
      },
    });
    await expect(probePublicAddress(context)).rejects.toMatchObject({
      code: 'PreconditionError',
      message: `probe ${url()}: expected 200, got 404, 2 times`,
    });
  });

  it('that nobody answers says so; a cancelled run does not go on probing', async () => {
    const topology = topologyOf('probes: [{ http: "http://127.0.0.1:1/" }]\n');
    const controller = new AbortController();
    const context = stage.context(id, {
      topology,
      signal: controller.signal,
      checkpoint: (progress) => {
        stage.told.push(progress);
        controller.abort();
        return Promise.resolve();
      },
    });
    await expect(probePublicAddress(context)).rejects.toMatchObject({ name: 'AbortError' });
    expect(stage.told[0]?.unit).toMatch(/no answer \(/);
  });
});
