/** A fence whose control store goes dark, on the local Azure: that says nothing of the old side, so nothing is owed. */
import { readFileSync } from 'node:fs';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { apiVersions, type Arm, type Azure } from '../../src/azure/azure.ts';
import { cloudFrom, credentialFrom } from '../../src/azure/cloud.ts';
import { connectAzure } from '../../src/azure/connect.ts';
import { openControlStore } from '../../src/control-store/connect.ts';
import type { ControlStore } from '../../src/control-store/store.ts';
import { listDebts } from '../../src/fence/old-side.ts';
import { stopOldIntake } from '../../src/fence/stop-intake.ts';
import { stopOldJobs } from '../../src/fence/stop-old-jobs.ts';
import type { StepContext } from '../../src/run/work/step-context.ts';
import { cloudEnvironment } from '../../src/stack/state.ts';
import { scene, topologyWith } from '../jobs/scene.ts';
import { makeWorkspace, startFixture, type Fixture } from '../simulator/machinelearning/fixture.ts';

const ordinaryAuthorities = getCACertificates('default');
let fixture: Fixture;
let azure: Azure;
let store: ControlStore;
let workspace: string;
let context: (more?: Partial<StepContext>) => StepContext;

beforeAll(async () => {
  fixture = await startFixture({ regions: ['eastus', 'westus3', 'centralus'] });
  const { address } = fixture.running;
  setDefaultCACertificates([...ordinaryAuthorities, readFileSync(address.ca, 'utf8')]);
  const environment = cloudEnvironment(address);
  azure = connectAzure({
    credential: credentialFrom(environment),
    cloud: cloudFrom(environment),
    requestTimeoutMs: 2000,
  });
  workspace = await makeWorkspace(fixture, 'eastus', 'fraud-east');
  await fixture.put(`${workspace}/computes/cpu`, {
    location: 'eastus',
    properties: {
      computeType: 'AmlCompute',
      properties: { vmSize: 'Standard_DS3_v2', scaleSettings: { maxNodeCount: 2 } },
    },
  });
  await fixture.put(`${workspace}/environments/e/versions/1`, {
    properties: { image: 'mcr.microsoft.com/azureml/base:1' },
  });
  for (const name of ['one', 'two', 'three'])
    await fixture.arm('PUT', `${workspace}/jobs/${name}`, {
      properties: {
        jobType: 'Command',
        command: 'python train.py',
        environmentId: `${workspace}/environments/e/versions/1`,
        computeId: `${workspace}/computes/cpu`,
        properties: { 'simulator.runSeconds': '3600' },
      },
    });
  const group = fixture.group('centralus');
  await fixture.put(`${group}?api-version=2021-04-01`, { location: 'centralus' });
  await fixture.put(`${group}/providers/Microsoft.Storage/storageAccounts/frauddrcontrol?api-version=2023-01-01`, {
    location: 'centralus',
    kind: 'StorageV2',
    sku: { name: 'Standard_LRS' },
    properties: {},
  });
  const { subscriptionId } = address;
  store = await openControlStore(azure, {
    subscriptionId,
    resourceGroup: 'ml-centralus',
    storageAccount: 'frauddrcontrol',
    container: 'understudy',
  });
  const side = (region: string, name: string) => ({
    workspace: { subscriptionId, resourceGroup: `ml-${region}`, name },
  });
  const made = scene(
    topologyWith({
      regions: { eastus: side('eastus', 'fraud-east'), westus3: side('westus3', 'fraud-west') },
      policies: { fenceDeadline: '3s', requestTimeout: '2s' },
    }),
  );
  const { plan } = made.context();
  const { recoveryPoint: _point, ...rest } = plan;
  context = (more) => made.context({ azure, store, now: () => new Date(), plan: rest, ...more });
}, 120_000);

afterAll(async () => {
  setDefaultCACertificates(ordinaryAuthorities);
  await fixture?.close();
});

const dark = (mode: 'dark' | 'none') => fixture.running.faults.setOutage('centralus', { mode });
const statuses = async () => {
  const jobs = await Array.fromAsync(azure.arm.list(`${workspace}/jobs`, apiVersions.machineLearning));
  return jobs.map(({ properties }) => properties['status']);
};

it.each([
  ['before the first job is asked to end', 'page'],
  ['once they are asked to end', 'start'],
] as const)(
  'a step that finds it dark %s is tried again, and owes nothing',
  async (_when, method) => {
    const darkening = async <T>(answer: Promise<T>): Promise<T> => {
      await answer;
      await dark('dark');
      return answer;
    };
    const arm: Arm = {
      ...azure.arm,
      ...(method === 'page'
        ? { page: (...args) => darkening(azure.arm.page(...args)) }
        : { start: (...args) => darkening(azure.arm.start(...args)) }),
    };
    await expect(stopOldJobs(context({ azure: { ...azure, arm } }))).rejects.toMatchObject({
      code: 'AzureUnavailable',
      retryable: true,
      details: { origin: 'control-store' },
    });
    await dark('none');
    expect(await listDebts(store)).toEqual([]);
  },
  60_000,
);

it('the intake is not owed either', async () => {
  await dark('dark');
  await expect(stopOldIntake(context())).rejects.toMatchObject({ details: { origin: 'control-store' } });
  await dark('none');
  expect(await listDebts(store)).toEqual([]);
});

it('the next attempt ends what is left, however long it was dark', async () => {
  const later = () => new Date(Date.now() + 86_400_000);
  const result = await stopOldJobs(context({ now: later }));
  expect(result).toMatchObject({ state: 'completed', counts: [{ kind: 'old jobs', expected: 3, done: 3 }] });
  expect(new Set(await statuses())).toEqual(new Set(['Canceled']));
  expect(await listDebts(store)).toEqual([]);
}, 60_000);
