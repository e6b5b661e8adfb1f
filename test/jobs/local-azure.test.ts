/**
 * Jobs on the local Azure, over HTTPS with the product's own client: lists of several pages, refusals, a region that
 * goes dark.
 */
import { readFileSync } from 'node:fs';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Json, JsonObject } from '../../simulator/contract/index.ts';
import { apiVersions, type Azure } from '../../src/azure/azure.ts';
import { cloudFrom, credentialFrom } from '../../src/azure/cloud.ts';
import { connectAzure } from '../../src/azure/connect.ts';
import { collectJobs } from '../../src/inventory/collect.ts';
import { specFolder, successorName, toLedgerEntry } from '../../src/ledger/ledger.ts';
import { runSmokeJob } from '../../src/jobs/smoke-job.ts';
import { stopOldJobs } from '../../src/fence/stop-old-jobs.ts';
import { sideOf } from '../../src/topology/sides.ts';
import { cloudEnvironment } from '../../src/stack/state.ts';
import { makeWorkspace, startFixture, type Fixture } from '../simulator/machinelearning/fixture.ts';
import { resumeUri, scene, topologyWith, type Scene } from './scene.ts';

let fixture: Fixture;
let azure: Azure;
let ids: { east: string; west: string };
let made: Scene;
const ordinaryAuthorities = getCACertificates('default');

const cluster: JsonObject = {
  location: 'eastus',
  properties: {
    computeType: 'AmlCompute',
    properties: { vmSize: 'Standard_DS3_v2', scaleSettings: { maxNodeCount: 2 } },
  },
};

beforeAll(async () => {
  fixture = await startFixture();
  const { address } = fixture.running;
  setDefaultCACertificates([...ordinaryAuthorities, readFileSync(address.ca, 'utf8')]);
  const environment = cloudEnvironment(address);
  azure = connectAzure({
    credential: credentialFrom(environment),
    cloud: cloudFrom(environment),
    requestTimeoutMs: 3000,
  });
  ids = {
    east: await makeWorkspace(fixture, 'eastus', 'fraud-east'),
    west: await makeWorkspace(fixture, 'westus3', 'fraud-west'),
  };
  await fill(ids.east, 'gpu-east');
  await fill(ids.west, 'gpu-west');
  const topology = topologyWith({
    regions: {
      eastus: {
        workspace: { subscriptionId: address.subscriptionId, resourceGroup: 'ml-eastus', name: 'fraud-east' },
      },
      westus3: {
        workspace: {
          subscriptionId: address.subscriptionId,
          resourceGroup: 'ml-westus3',
          name: 'fraud-west',
        },
      },
    },
    policies: { fenceDeadline: '4s', probeDeadline: '60s', jobBatch: 5 },
  });
  made = scene(topology);
}, 120_000);

afterAll(async () => {
  setDefaultCACertificates(ordinaryAuthorities);
  await fixture?.close();
});

async function fill(workspace: string, compute: string): Promise<void> {
  await fixture.put(`${workspace}/computes/${compute}`, cluster);
  await fixture.put(`${workspace}/environments/e/versions/1`, {
    properties: { image: 'mcr.microsoft.com/azureml/base:1' },
  });
  await fixture.put(`${workspace}/codes/c/versions/1`, { properties: { codeUri: 'https://a/b' } });
}

function training(more: JsonObject = {}): { properties: JsonObject } {
  return {
    properties: {
      jobType: 'Command',
      command: 'python train.py $[[--resume ${{inputs.resume_from}}]]',
      codeId: `${ids.east}/codes/c/versions/1`,
      environmentId: `${ids.east}/environments/e/versions/1`,
      computeId: `${ids.east}/computes/gpu-east`,
      inputs: { steps: { jobInputType: 'literal', value: '2000' } },
      outputs: { checkpoints: { jobOutputType: 'uri_folder', mode: 'ReadWriteMount' } },
      distribution: { distributionType: 'PyTorch', processCountPerInstance: 1 },
      queueSettings: { jobTier: 'Standard' },
      properties: {
        'simulator.prepareSeconds': '0',
        'simulator.queueSeconds': '0',
        'simulator.runSeconds': '3600',
      },
      tags: { priority: 'high', owner: 'ana' },
      ...more,
    },
  };
}

const context = () => made.context({ azure, now: () => new Date() });

describe('jobs on the local Azure', () => {
  it('takes the ledger of a workspace whose list has several pages', async () => {
    for (let index = 0; index < 13; index++) {
      await submit(`train-${index}`, training(index === 0 ? {} : { tags: { priority: 'low' } }));
    }
    await submit('lab', training({ services: { n: { jobServiceType: 'JupyterLab' } } }));
    const { from, store } = context();
    for await (const job of collectJobs({ arm: azure.arm, workspace: from.workspace })) {
      const checkpoint = {
        datastore: 'workspaceblobstore',
        path: `azureml/${job.name}/checkpoints`,
        lastFile: 'step-2.json',
        files: 2,
        recoveryPoint: 'r',
      };
      made.ledger.push(
        toLedgerEntry({
          job,
          side: from,
          lastSeenAt: new Date().toISOString(),
          spec: await store.seal(specFolder, job),
          ...(job.name === 'train-0' ? { checkpoint } : {}),
        }),
      );
    }
    expect(made.ledger.map(({ name }) => name).toSorted()).toEqual(
      ['lab', ...Array.from({ length: 13 }, (_, index) => `train-${index}`)].toSorted(),
    );
    expect(made.ledger.every(({ status }) => !['Completed', 'Failed', 'Canceled'].includes(status))).toBe(true);
  });

  it('runs a smoke job in the standby', async () => {
    // Time goes by faster while the job is waited for.
    const hurry = () => Promise.resolve(fixture.running.clock.advance(20_000));
    const result = await runSmokeJob(made.context({ azure, checkpoint: hurry }));
    expect(result.state).toBe('completed');
  }, 60_000);

  it('cancels the jobs of a region that answers', async () => {
    const { from } = context();
    const result = await stopOldJobs(context(), made.readLedger);
    expect(result.counts).toEqual([{ kind: 'old jobs', expected: 14, done: 14, skipped: [], failed: [] }]);
    const left = await Array.fromAsync(collectJobs({ arm: azure.arm, workspace: from.workspace }));
    expect(left.map((job) => [job.name, job.properties['status']])).toEqual([]);
  }, 60_000);

  it('resubmits with the old region dark, and the standby holds what was sent', async () => {
    await outage('dark');
    const result = await made.resubmit(context());
    expect(result.counts).toEqual([
      {
        kind: 'jobs',
        expected: 14,
        done: 13,
        skipped: [{ reason: 'left for a person: interactive', count: 1 }],
        failed: [],
      },
      { kind: 'checkpoint files', expected: 2, done: 2, skipped: [], failed: [] },
    ]);
    const name = successorName(made.ledger.find((each) => each.name === 'train-0')?.lineageRoot ?? '', 1);
    const successor = await azure.arm.get(`${ids.west}/jobs/${name}`, apiVersions.machineLearning);
    const { status, services: _, outputs, ...held } = successor.properties;
    expect(['Completed', 'Failed', 'Canceled']).not.toContain(status);
    expect(outputs).toMatchObject({ checkpoints: { jobOutputType: 'uri_folder', mode: 'ReadWriteMount' } });
    expect(held).toMatchObject({
      codeId: `${ids.west}/codes/c/versions/1`,
      environmentId: `${ids.west}/environments/e/versions/1`,
      computeId: `${ids.west}/computes/gpu-west`,
      inputs: {
        steps: { jobInputType: 'literal', value: '2000' },
        resume_from: {
          uri: resumeUri(name, { datastore: 'workspaceblobstore', recoveryPoint: 'r' }, context().to.workspace),
        },
      },
      distribution: { distributionType: 'PyTorch', processCountPerInstance: 1 },
      queueSettings: { jobTier: 'Standard' },
      tags: { owner: 'ana', priority: 'high', 'understudy.hop': '1' },
    });
    expect(result.lost?.filter((line) => line.includes('otherwise than sent'))).toEqual([]);
    const again = await made.resubmit(context());
    expect(again.counts).toEqual(result.counts);
    const jobs = await Array.fromAsync(azure.arm.list(`${ids.west}/jobs`, apiVersions.machineLearning));
    expect(
      jobs.filter(
        (job) => job.name !== successor.name && job.name.startsWith('us-') && !job.name.startsWith('us-smoke'),
      ),
    ).toHaveLength(12);
  }, 60_000);

  it.each(['dark', 'hang'])(
    'owes what it cannot stop in a region that is %s',
    async (mode) => {
      await outage(mode);
      const result = await stopOldJobs(context(), made.readLedger);
      expect(result.owed).toMatchObject([{ kind: 'jobs', region: 'eastus' }]);
      expect(sideOf(context().topology, 'eastus').region).toBe('eastus');
    },
    60_000,
  );
});

async function submit(name: string, body: Json): Promise<void> {
  const { status, body: answer } = await fixture.arm('PUT', `${ids.east}/jobs/${name}`, body);
  if (status !== 201) throw new Error(`${status} ${JSON.stringify(answer)}`);
}

async function outage(mode: string): Promise<void> {
  const answer = await fetch(`${fixture.running.address.admin}/regions/eastus/outage`, {
    method: 'POST',
    body: JSON.stringify({ mode }),
  });
  if (!answer.ok) throw new Error(`${answer.status} ${await answer.text()}`);
}
