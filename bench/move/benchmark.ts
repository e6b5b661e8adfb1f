/**
 * A planned move with thousands of jobs, away from a region that answers, under ARM's token buckets: when each class
 * serves, when the jobs are stopped and resumed, and whether any job runs on both sides. What the local Azure keeps of
 * each job decides.
 */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import type { CloudAddress } from '../../simulator/cloud.ts';
import type { JsonObject } from '../../simulator/contract/index.ts';
import { FINISHED, lifeOf, statusAt } from '../../simulator/machinelearning/job-life/job-life.ts';
import { forEachBounded } from '../../src/run/work/bounded.ts';
import { successorName } from '../../src/ledger/ledger.ts';
import { makeWorkspace, startFixture, type Fixture } from '../../test/simulator/machinelearning/fixture.ts';
import type { Benchmark } from '../benchmark.ts';
import { countOf, machine, print, type Figure } from '../figures.ts';

export interface Settings {
  address: CloudAddress;
  scale: number;
}

/** Seconds are Azure's, from when the move began. */
export interface Moved {
  steps: { id: string; state: string; endedAt: number; detail: string }[];
  failures: string[];
  peakMiB: number;
  /** The largest document in the control store below the run. */
  largestBytes: number;
  documents: number;
}

const depth = 200;
const perSecond = 10;

export const benchmark: Benchmark = {
  summary: 'a planned move with thousands of jobs: when the classes serve, and whether any job runs twice',
  options: {
    jobs: { default: '10000', help: 'unfinished jobs' },
    scale: { default: '5', help: 'how many times as fast as Azure the clock goes' },
  },
  async run(values) {
    const jobs = countOf('jobs', values.jobs);
    const scale = countOf('scale', values.scale);
    console.log(machine());
    const fixture = await startFixture({ pace: 1 / scale, speed: scale });
    try {
      const { east, west } = await fill(fixture, jobs);
      const moved = await move({ address: fixture.running.address, scale });
      show(jobs, scale, moved, judge(fixture, east, west, jobs));
    } finally {
      await fixture.close();
    }
  },
};

async function fill(fixture: Fixture, jobs: number): Promise<{ east: string; west: string }> {
  const east = await makeWorkspace(fixture, 'eastus', 'fraud-east');
  const west = await makeWorkspace(fixture, 'westus3', 'fraud-west');
  const compute: JsonObject = {
    computeType: 'AmlCompute',
    properties: { vmSize: 'Standard_DS3_v2', scaleSettings: { minNodeCount: 0, maxNodeCount: 4 } },
  };
  await fixture.put(`${east}/computes/cpu`, { location: 'eastus', properties: compute });
  await fixture.put(`${west}/computes/cpu`, { location: 'westus3', properties: compute });
  const environment = { properties: { image: 'mcr.microsoft.com/azureml/base:1' } };
  await fixture.put(`${east}/environments/e/versions/1`, environment);
  const properties = {
    jobType: 'Command',
    command: 'python train.py',
    environmentId: `${east}/environments/e/versions/1`,
    // Without a cluster each runs at once, and none waits for another: all of them could run twice.
    resources: { instanceType: 'Standard_DS3_v2', instanceCount: 1 },
    properties: { 'simulator.runSeconds': '360000' },
  };
  await forEachBounded(Array(jobs).keys(), 8, async (index) => {
    for (;;) {
      const { status, body } = await fixture.arm('PUT', `${east}/jobs/${nameOf(index)}`, { properties });
      if (status === 201) return;
      if (status !== 429) throw new Error(`${status} ${JSON.stringify(body)}`);
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
  });
  return { east, west };
}

const nameOf = (index: number) => `train-${index}`;

function move(settings: Settings): Promise<Moved> {
  const child = spawn(process.execPath, [join(import.meta.dirname, 'mover.ts'), JSON.stringify(settings)], {
    env: { ...process.env, NODE_EXTRA_CA_CERTS: settings.address.ca },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) =>
      code === 0 ? resolve(JSON.parse(output) as Moved) : reject(new Error(`the move ended with ${code}`)),
    );
  });
}

interface Judged {
  /** Its origin had not ended when it was submitted, or has not ended now. */
  twice: number;
  successors: number;
  throttled: number;
}

function judge({ running }: Fixture, east: string, west: string, jobs: number): Judged {
  const { store } = running.cloud;
  const judged: Judged = { twice: 0, successors: 0, throttled: 0 };
  for (let index = 0; index < jobs; index++) {
    const old = store.get(`${east}/jobs/${nameOf(index)}`);
    const successor = store.get(`${west}/jobs/${successorName(`eastus.fraud-east.${nameOf(index)}`, 1)}`);
    if (!successor) continue;
    judged.successors += 1;
    const ended = (at: number) => old && FINISHED.has(statusAt(lifeOf(old), at));
    if (!ended(lifeOf(successor).submittedAt) || !ended(running.clock.now())) judged.twice += 1;
  }
  judged.throttled = running.requests.since(0).filter(({ status }) => status === 429).length;
  return judged;
}

function show(jobs: number, scale: number, moved: Moved, judged: Judged): void {
  const stop = moved.steps.find(({ id }) => id === 'fence/platform/jobs');
  const resume = moved.steps.find(({ id }) => id === 'resume/training/jobs');
  const stopped = { name: 'the jobs are stopped', value: stop?.endedAt ?? Infinity };
  const serving = moved.steps.filter(({ id }) => /^switch\/.*\/serving$/.test(id));
  const bound = (writes: number) => ({
    name: 'the bucket’s bound',
    value: Math.max(1, (writes - depth) / perSecond),
  });
  const figures: Figure[] = [
    ...serving.map(({ id, endedAt }) => ({
      what: `${id.split('/')[1]} serves after`,
      value: endedAt,
      unit: 's',
      peer: stopped,
    })),
    { what: 'jobs stopped after', value: stopped.value, unit: 's', peer: bound(jobs) },
    { what: 'jobs resumed after', value: resume?.endedAt ?? Infinity, unit: 's', peer: bound(2 * jobs) },
    { what: 'successors', value: judged.successors, unit: 'jobs', peer: { name: 'jobs', value: jobs } },
    { what: 'ran on both sides', value: judged.twice, unit: 'jobs' },
    { what: 'peak memory', value: moved.peakMiB, unit: 'MiB' },
    { what: 'largest document of the run', value: moved.largestBytes / 1024, unit: 'KiB' },
    { what: 'documents of the run', value: moved.documents, unit: '' },
  ];
  print(`move: ${jobs.toLocaleString('en')} jobs, clock ×${scale}`, figures, [
    ...[stop, resume].map((step) => `${step?.id}: ${step?.state}: ${step?.detail}`),
    `requests answered with 429 among the last that the local Azure remembers: ${judged.throttled}`,
    ...moved.failures.slice(0, 10),
  ]);
}
