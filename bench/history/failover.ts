/** A whole failover of the example's workspace, with further blobs and jobs in it, on an embedded stack of its own. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { parseEnv } from 'node:util';
import { Client, Connection } from '@temporalio/client';
import { forEachBounded } from '../../src/run/work/bounded.ts';
import { apiVersions, type Azure } from '../../src/azure/azure.ts';
import { cloudFrom, credentialFrom } from '../../src/azure/cloud.ts';
import { connectAzure } from '../../src/azure/connect.ts';
import { environmentOf, stackDown, stackUp, type Stack } from '../../src/stack/stack.ts';
import { textField } from '../azure-fields.ts';
import { Programs } from './programs.ts';

const root = dirname(dirname(import.meta.dirname));
const program = join(root, 'bin', 'understudy.mjs');
const example = join(root, 'examples', 'fraud-ml');

export interface Further {
  blobs: number;
  jobs: number;
}

export interface History {
  events: number;
  bytes: number;
}

export interface Moved {
  replicate: History;
  failover: History;
  /** As the report of the failover has them: kind → expected. */
  counts: Record<string, number>;
}

/** `folder` is made, and all of it is the stack's and the commands'. */
export async function moveWorkspace(folder: string, further: Further): Promise<Moved> {
  mkdirSync(folder, { recursive: true });
  const cloudArguments = ['--pace', '0.1', '--token-seconds', '3600'];
  const stack = await stackUp({ folder: join(folder, 'stack'), say: () => undefined, cloudArguments });
  const programs = new Programs(folder);
  try {
    setDefaultCACertificates([...getCACertificates('default'), readFileSync(stack.cloud.ca, 'utf8')]);
    const settings = await setUp(programs, folder, stack, further);
    await programs.background('worker', program, ['worker'], settings, 'ready');
    await programs.background(
      'worker-train-01',
      program,
      ['worker', '--host', 'train-01'],
      settings,
      'ready',
    );
    const understudy = (...args: string[]) =>
      programs.run(program, ['-t', join(folder, 'understudy.yaml'), ...args], settings);
    await understudy('replicate', '--reason', 'a benchmark');
    await goDark(stack);
    await understudy('failover', '--to', 'westus3', '--yes', '--reason', 'a benchmark');
    const runs = JSON.parse(await understudy('runs', '--output', 'json')) as {
      runId: string;
      operation: string;
    }[];
    const { runId = '' } = runs.find(({ operation }) => operation === 'failover') ?? {};
    const report = JSON.parse(await understudy('report', runId, '--output', 'json')) as Report;
    if (report.run.state !== 'completed') throw new Error(`the failover is ${report.run.state}`);
    return { ...(await histories(stack)), counts: countsOf(report) };
  } finally {
    await programs.end();
    await stackDown(join(folder, 'stack'));
  }
}

interface Report {
  run: { state: string };
  counts: { kind: string; expected: number }[];
}

function countsOf({ counts }: Report): Record<string, number> {
  const sums = new Map<string, number>();
  for (const { kind, expected } of counts) sums.set(kind, Math.max(expected, sums.get(kind) ?? 0));
  return Object.fromEntries(sums);
}

async function setUp(
  programs: Programs,
  folder: string,
  stack: Stack,
  further: Further,
): Promise<Record<string, string>> {
  const environment = environmentOf(stack);
  const data = join(folder, 'data');
  await programs.run(
    join(example, 'data', 'make-data.ts'),
    ['--out', data, '--megabytes', '0.5', '--small-files', '12'],
    environment,
  );
  const made = join(folder, 'fraud.env');
  const args = ['--clients', join(folder, 'clients'), '--environment', made, '--data', data];
  await programs.run(join(root, 'examples', 'set-up.ts'), args, environment);
  const settings = { ...environment, ...(parseEnv(readFileSync(made, 'utf8')) as Record<string, string>) };
  writeFileSync(join(folder, 'understudy.yaml'), topology());
  const azure = connectAzure({
    credential: credentialFrom(settings),
    cloud: cloudFrom(settings),
    requestTimeoutMs: 60_000,
  });
  await addFurther(azure, stack.cloud.subscriptionId, further);
  return settings;
}

/** The example's, with the folder of the further blobs. */
function topology(): string {
  const text = readFileSync(join(example, 'understudy.yaml'), 'utf8')
    .replaceAll('../../templates', join(root, 'templates'))
    .replaceAll('parameters/', `${join(example, 'parameters')}/`);
  return `${text}\nartifacts: { paths: [{ datastore: workspaceblobstore, path: bench }] }\n`;
}

async function addFurther(azure: Azure, subscriptionId: string, { blobs, jobs }: Further): Promise<void> {
  const group = `/subscriptions/${subscriptionId}/resourceGroups/ml-east`;
  const workspace = `${group}/providers/Microsoft.MachineLearningServices/workspaces/fraud-east`;
  const resource = await azure.arm.get(workspace, apiVersions.machineLearning);
  const account = await azure.blobAccount(textField(resource, 'storageAccount'));
  const datastore = await azure.arm.get(
    `${workspace}/datastores/workspaceblobstore`,
    apiVersions.machineLearning,
  );
  const container = account.container(textField(datastore, 'containerName'));
  await forEachBounded(Array.from({ length: blobs }).keys(), 16, async (index) => {
    const content = `blob ${index}`;
    await container.getBlockBlobClient(`bench/part-${index}`).upload(content, content.length);
  });
  const [environment] = await Array.fromAsync(
    azure.arm.list(`${workspace}/environments/fraud-sklearn/versions`, apiVersions.machineLearning),
  );
  await forEachBounded(Array.from({ length: jobs }).keys(), 16, async (index) => {
    await azure.arm.put(`${workspace}/jobs/bench-${index}`, apiVersions.machineLearning, {
      properties: {
        jobType: 'Command',
        command: 'python train.py',
        environmentId: environment?.id ?? `${workspace}/environments/sklearn/versions/1`,
        computeId: `${workspace}/computes/cpu-cluster`,
        properties: { 'simulator.runSeconds': '36000' },
      },
    });
  });
}

async function goDark({ cloud }: Stack): Promise<void> {
  const answer = await fetch(`${cloud.admin}/regions/eastus/outage`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: '{"mode":"dark"}',
  });
  if (!answer.ok) throw new Error(`the outage could not be made: HTTP ${answer.status}`);
}

async function histories({ temporal }: Stack): Promise<Pick<Moved, 'replicate' | 'failover'>> {
  if (!temporal) throw new Error('the stack has no Temporal');
  const connection = await Connection.connect({ address: temporal.address });
  try {
    const client = new Client({ connection });
    return {
      replicate: await historyOf(client, 'understudy-fraud-ml-replicate'),
      failover: await historyOf(client, 'understudy-fraud-ml-move'),
    };
  } finally {
    await connection.close();
  }
}

/** Of all executions of a workflow: one that continued as new has several. */
async function historyOf(client: Client, workflowId: string): Promise<History> {
  const history = { events: 0, bytes: 0 };
  for await (const { runId } of client.workflow.list({ query: `WorkflowId = "${workflowId}"` })) {
    const { historyLength, historySize } = await client.workflow.getHandle(workflowId, runId).describe();
    history.events += historyLength;
    history.bytes += historySize ?? 0;
  }
  if (history.events === 0) throw new Error(`Temporal has no history of "${workflowId}"`);
  return history;
}
