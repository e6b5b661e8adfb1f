/**
 * The local Azure with ten thousand jobs and ten thousand versions of models in it: requests a second, against a bare
 * node:https server that answers the same bytes, and how much memory it holds.
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { ensureCertificates } from '../../simulator/certificates.ts';
import type { CloudAddress } from '../../simulator/cloud.ts';
import { credentialFrom } from '../../src/azure/cloud.ts';
import { alternate, countOf, machine, print, timed, type Figure } from '../figures.ts';
import { makeWorkspaces, startLocalAzure } from '../local-azure.ts';
import { mebi, residentBytes } from '../rss.ts';
import type { Benchmark } from '../benchmark.ts';
import { inFlight, openClient, type Ask, type Client } from './requests.ts';

const apiVersion = 'api-version=2024-04-01';

export const benchmark: Benchmark = {
  summary: 'requests a second of the local Azure, against a bare node:https server with the same bytes; its memory',
  options: {
    jobs: { default: '10000', help: 'jobs that it holds' },
    versions: { default: '10000', help: 'versions of models that it holds' },
    requests: { default: '300', help: 'requests of each kind in a round' },
    rounds: { default: '9', help: 'rounds; the median counts' },
  },
  async run(values) {
    const amounts = {
      jobs: countOf('jobs', values.jobs),
      versions: countOf('versions', values.versions),
      requests: countOf('requests', values.requests),
      rounds: countOf('rounds', values.rounds),
    };
    console.log(machine());
    const local = await startLocalAzure();
    try {
      const { east } = await makeWorkspaces(local.address);
      const client = await clientOf(local.address);
      const empty = residentBytes(local.pid);
      const figures = await fill(client, east, amounts);
      const full = residentBytes(local.pid);
      for (const kind of kinds(east, amounts)) figures.push(await compare(client, kind, amounts));
      figures.push(await wholeList(client, east, amounts.jobs));
      // The first of them give the heap its working space; the memory that counts is what the later ones take beyond
      // it.
      const more = (): Promise<number> => client.rate(times(2 * amounts.jobs, (index) => again(east, index, amounts)));
      await more();
      const used = residentBytes(local.pid);
      await more();
      const later = residentBytes(local.pid);
      client.close();
      figures.push({
        what: 'memory, filled',
        value: full / mebi,
        unit: 'MiB',
        peer: { name: 'empty', value: empty / mebi },
      });
      figures.push({
        what: `memory, ${(4 * amounts.jobs).toLocaleString('en')} requests later`,
        value: later / mebi,
        unit: 'MiB',
        peer: { name: `${(2 * amounts.jobs).toLocaleString('en')} requests later`, value: used / mebi },
      });
      const title = `simulator: ${amounts.jobs.toLocaleString('en')} jobs, ${amounts.versions.toLocaleString('en')} versions of models, ${inFlight} requests in flight`;
      print(title, figures);
    } finally {
      await local.close();
    }
  },
};

interface Amounts {
  jobs: number;
  versions: number;
  requests: number;
  rounds: number;
}

async function clientOf(address: CloudAddress): Promise<Client> {
  const credential = credentialFrom({
    AZURE_AUTHORITY_HOST: address.authority,
    AZURE_TENANT_ID: address.tenantId,
    AZURE_CLIENT_ID: address.clientId,
    AZURE_CLIENT_SECRET: address.clientSecret,
  });
  const token = await credential.getToken(`${address.arm}/.default`);
  return openClient(address.arm, readFileSync(address.ca, 'utf8'), {
    authorization: `Bearer ${token?.token ?? ''}`,
  });
}

function putJob(workspace: string, name: string): Ask {
  const properties = {
    jobType: 'Command',
    displayName: 'Train',
    experimentName: 'fraud',
    command: 'python train.py',
    environmentId: `${workspace}/environments/sklearn/versions/1`,
    computeId: `${workspace}/computes/cpu`,
    tags: { owner: 'ana', priority: 'normal' },
    properties: { 'simulator.runSeconds': '36000' },
  };
  return {
    method: 'PUT',
    path: `${workspace}/jobs/${name}?${apiVersion}`,
    body: JSON.stringify({ properties }),
  };
}

function putVersion(workspace: string, version: string): Ask {
  const properties = {
    modelType: 'custom_model',
    modelUri: `azureml://datastores/workspaceblobstore/paths/models/fraud-${version}`,
    tags: { stage: 'production' },
  };
  const path = `${workspace}/models/fraud/versions/${version}?${apiVersion}`;
  return { method: 'PUT', path, body: JSON.stringify({ properties }) };
}

function times<T>(count: number, make: (index: number) => T): T[] {
  return Array.from({ length: count }, (_, index) => make(index));
}

/** The last tenth is put as fast as the first, if nothing in the local Azure goes through all there is. */
async function fill(client: Client, workspace: string, { jobs, versions }: Amounts): Promise<Figure[]> {
  await client.rate([
    {
      method: 'PUT',
      path: `${workspace}/environments/sklearn/versions/1?${apiVersion}`,
      body: JSON.stringify({ properties: { image: 'mcr.microsoft.com/azureml/base:1' } }),
    },
    {
      method: 'PUT',
      path: `${workspace}/computes/cpu?${apiVersion}`,
      body: JSON.stringify({
        location: 'eastus',
        properties: {
          computeType: 'AmlCompute',
          properties: { vmSize: 'Standard_DS3_v2', scaleSettings: { minNodeCount: 0, maxNodeCount: 2 } },
        },
      }),
    },
  ]);
  const growth = async (what: string, count: number, make: (index: number) => Ask): Promise<Figure> => {
    const tenth = Math.ceil(count / 10);
    const rates: number[] = [];
    for (let first = 0; first < count; first += tenth)
      rates.push(await client.rate(times(Math.min(tenth, count - first), (index) => make(first + index))));
    return {
      what,
      value: rates.at(-1) ?? 0,
      unit: 'requests/s',
      peer: { name: 'the first tenth', value: rates[0] ?? 0 },
    };
  };
  return [
    await growth('PUT job, the last tenth', jobs, (index) => putJob(workspace, `train-${index}`)),
    await growth('PUT version, the last tenth', versions, (index) => putVersion(workspace, `${index + 1}`)),
  ];
}

/** Requests that leave nothing behind: reads, pages, and the same job once more. */
function again(workspace: string, index: number, { jobs }: Amounts): Ask {
  const name = `train-${(index * 7919) % jobs}`;
  if (index % 4 === 0) return putJob(workspace, name);
  if (index % 4 === 1) return { method: 'GET', path: `${workspace}/models/fraud/versions?${apiVersion}` };
  return { method: 'GET', path: `${workspace}/jobs/${name}?${apiVersion}` };
}

interface Kind {
  what: string;
  ask: (index: number) => Ask;
}

function kinds(workspace: string, { jobs, versions, requests }: Amounts): Kind[] {
  let put = versions;
  return [
    {
      what: 'GET job',
      ask: (index) => ({
        method: 'GET',
        path: `${workspace}/jobs/train-${(index * 7919) % jobs}?${apiVersion}`,
      }),
    },
    { what: 'PUT model version', ask: () => putVersion(workspace, `${++put}`) },
    {
      what: `list jobs, a page of ${Math.min(100, requests)}`,
      ask: () => ({
        method: 'GET',
        path: `${workspace}/jobs?${apiVersion}&listViewType=All&$top=${Math.min(100, requests)}`,
      }),
    },
  ];
}

async function compare(client: Client, { what, ask }: Kind, { requests, rounds }: Amounts): Promise<Figure> {
  const one = ask(0);
  const { body } = await client.ask(one);
  const bare = await startBare(one.method, body);
  try {
    // Both are warm before they are measured.
    for (const each of [client, bare.client]) await each.rate(times(Math.ceil(requests / 4), ask));
    const rates = await alternate(rounds, {
      local: () => client.rate(times(requests, ask)),
      bare: () => bare.client.rate(times(requests, ask)),
    });
    return {
      what,
      value: rates.local,
      unit: 'requests/s',
      peer: { name: 'bare node:https', value: rates.bare },
    };
  } finally {
    await bare.close();
  }
}

async function startBare(method: string, body: string): Promise<{ client: Client; close(): Promise<void> }> {
  const folder = mkdtempSync(join(tmpdir(), 'understudy-bench-bare-'));
  const { ca } = await ensureCertificates(folder);
  writeFileSync(join(folder, 'answers.json'), JSON.stringify({ [method]: body }));
  const child = spawn(process.execPath, [join(import.meta.dirname, 'bare-server.ts'), folder], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const gone = new Promise((resolve) => child.once('exit', resolve));
  const port = await new Promise<string>((resolve, reject) => {
    createInterface({ input: child.stdout }).once('line', resolve);
    child.once('exit', (code) => reject(new Error(`the bare server ended with ${code}`)));
  });
  const client = openClient(`https://localhost:${port}`, ca);
  return {
    client,
    async close() {
      client.close();
      child.kill('SIGTERM');
      await gone;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** All jobs, page by page as the local Azure cuts them, against as many reads of one job. */
async function wholeList(client: Client, workspace: string, jobs: number): Promise<Figure> {
  let pages = 0;
  let seen = 0;
  const first = `${workspace}/jobs?${apiVersion}&listViewType=All`;
  const whole = await timed(async () => {
    for (let next: string | undefined = first; next !== undefined; pages++) {
      const { status, body } = await client.ask({ method: 'GET', path: next });
      if (status !== 200) throw new Error(`GET ${next}: ${status} ${body}`);
      const page = JSON.parse(body) as { value: unknown[]; nextLink?: string };
      seen += page.value.length;
      next = page.nextLink === undefined ? undefined : page.nextLink.slice(new URL(page.nextLink).origin.length);
    }
  });
  if (seen !== jobs) throw new Error(`expected ${jobs} jobs in the list, got ${seen}`);
  const repeated = await timed(async () => {
    for (let index = 0; index < pages; index++)
      await client.ask({ method: 'GET', path: `${workspace}/jobs/train-1?${apiVersion}` });
  });
  return {
    what: `list all jobs, ${pages} pages`,
    value: whole,
    unit: 's',
    peer: { name: 'as many GETs of a job', value: repeated },
  };
}
