/**
 * Resubmitting interrupted jobs against an ARM that throttles as Azure does: the time against the bound that the token
 * bucket sets, the requests that were wasted, and the jobs that were lost; against a client with the SDK's retries and
 * no pacing.
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ensureCertificates } from '../../simulator/certificates.ts';
import { countOf, machine, print } from '../figures.ts';
import type { Benchmark } from '../benchmark.ts';
import { startThrottledArm, type Figures } from './throttled-arm.ts';

export interface Settings {
  endpoint: string;
  jobs: number;
  scale: number;
  latencyMs: number;
}

export interface Outcome {
  /** On the scaled clock. */
  seconds: number;
  /** Jobs that are not there in the end. */
  lost: number;
  peakMiB: number;
}

const depth = 200;
const perSecond = 10;

export const benchmark: Benchmark = {
  summary: 'resubmitting interrupted jobs under ARM’s token buckets, against an unpaced client of the SDK',
  options: {
    jobs: { default: '10000', help: 'interrupted jobs' },
    scale: { default: '20', help: 'how many times as fast as Azure the clock goes' },
    latency: { default: '50', help: 'milliseconds that Azure takes to answer' },
  },
  async run(values) {
    const jobs = countOf('jobs', values.jobs);
    const scale = countOf('scale', values.scale);
    const latencyMs = countOf('latency', values.latency);
    console.log(machine());
    const product = await contend('product', { jobs, scale, latencyMs });
    const naive = await contend('naive', { jobs, scale, latencyMs });
    const bound = Math.max(1, (jobs - depth) / perSecond);
    const peer = 'SDK, 64 in flight';
    const made = (each: Contended) => each.figures.jobs;
    print(
      `jobs: ${jobs.toLocaleString('en')} interrupted jobs, ${latencyMs} ms latency, clock ×${scale}`,
      [
        { what: 'resubmitted', value: made(product), unit: 'jobs', peer: { name: peer, value: made(naive) } },
        {
          what: 'lost',
          value: product.outcome.lost,
          unit: 'jobs',
          peer: { name: peer, value: naive.outcome.lost },
        },
        {
          what: 'wasted (429)',
          value: product.figures.throttled,
          unit: 'requests',
          peer: { name: peer, value: naive.figures.throttled },
        },
        {
          what: 'time',
          value: product.outcome.seconds,
          unit: 's',
          peer: { name: 'the bucket’s bound', value: bound },
        },
        {
          what: 'time a job',
          value: (product.outcome.seconds / made(product)) * 1000,
          unit: 'ms',
          peer: { name: peer, value: (naive.outcome.seconds / made(naive)) * 1000 },
        },
        {
          what: 'peak memory',
          value: product.outcome.peakMiB,
          unit: 'MiB',
          peer: { name: peer, value: naive.outcome.peakMiB },
        },
      ],
      [
        `the product made ${product.figures.writes} writes and ${product.figures.reads} reads: it looks each job up before, and reads it back.`,
      ],
    );
  },
};

interface Contended {
  outcome: Outcome;
  figures: Figures;
}

async function contend(who: 'product' | 'naive', settings: Omit<Settings, 'endpoint'>): Promise<Contended> {
  const folder = mkdtempSync(join(tmpdir(), 'understudy-bench-jobs-'));
  const certificate = await ensureCertificates(folder);
  const arm = await startThrottledArm({ ...settings, certificate, resources: standby() });
  try {
    const output = await run(who, { ...settings, endpoint: arm.endpoint }, certificate.caFile);
    return { outcome: JSON.parse(output) as Outcome, figures: arm.figures() };
  } finally {
    await arm.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

function run(who: string, settings: Settings, authority: string): Promise<string> {
  const child = spawn(process.execPath, [join(import.meta.dirname, 'contender.ts'), who, JSON.stringify(settings)], {
    env: { ...process.env, NODE_EXTRA_CA_CERTS: authority },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) =>
      code === 0 ? resolve(output) : reject(new Error(`the contender "${who}" ended with ${code}`)),
    );
  });
}

/** What the standby has that a job may name. */
function standby(): Record<string, unknown> {
  const workspace =
    '/subscriptions/sub-1/resourcegroups/ml-west/providers/microsoft.machinelearningservices/workspaces/fraud-west';
  const resource = (path: string, properties: object) => ({
    id: `${workspace}/${path}`,
    name: path.split('/').at(-1),
    type: 'x',
    properties,
  });
  return {
    [workspace]: {
      ...resource('', { workspaceId: 'guid-west', storageAccount: '/accounts/west' }),
      id: workspace,
      name: 'fraud-west',
      location: 'westus3',
    },
    [`${workspace}/computes`]: {
      value: ['gpu-west', 'cpu'].map((name) => resource(`computes/${name}`, { computeType: 'AmlCompute' })),
    },
    [`${workspace}/datastores`]: {
      value: [
        resource('datastores/workspaceblobstore', {
          datastoreType: 'AzureBlob',
          accountName: 'west',
          containerName: 'c',
        }),
      ],
    },
  };
}
