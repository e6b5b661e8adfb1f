/** The example's workspace on an embedded stack of its own, with further blobs and jobs in it, and its two workers. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { parseEnv } from 'node:util';
import { forEachBounded } from '../src/run/work/bounded.ts';
import { apiVersions, type Azure } from '../src/azure/azure.ts';
import { cloudFrom, credentialFrom } from '../src/azure/cloud.ts';
import { connectAzure } from '../src/azure/connect.ts';
import { environmentOf, stackDown, stackUp, type Stack } from '../src/stack/stack.ts';
import { textField } from './azure-fields.ts';
import { Programs, type Background } from './programs.ts';

const root = dirname(import.meta.dirname);
const example = join(root, 'examples', 'fraud-ml');
/** What a user types. */
const program = join(root, 'bin', 'understudy.mjs');

export interface Further {
  blobs: number;
  jobs: number;
}

/** A stack with the example in it. */
export interface ExampleStack {
  stack: Stack;
  azure: Azure;
  worker: Background;
  /** The topology's file, and the environment that commands run in. */
  file: string;
  settings: Record<string, string>;
  /** Runs a command to its end; returns what it printed. */
  understudy: (...args: string[]) => Promise<string>;
}

export interface UseStack {
  further: Further;
  /** For Node, before the worker's program. */
  nodeArguments?: string[];
}

/** `folder` is made, and all of it is the stack's and the commands'; the stack ends when `work` has. */
export async function onExampleStack<T>(
  folder: string,
  { further, nodeArguments = [] }: UseStack,
  work: (on: ExampleStack) => Promise<T>,
): Promise<T> {
  mkdirSync(folder, { recursive: true });
  const cloudArguments = ['--pace', '0.1', '--token-seconds', '3600'];
  const stack = await stackUp({ folder: join(folder, 'stack'), say: () => undefined, cloudArguments });
  const programs = new Programs(folder);
  try {
    setDefaultCACertificates([...getCACertificates('default'), readFileSync(stack.cloud.ca, 'utf8')]);
    const { settings, azure } = await setUp(programs, folder, stack, further);
    const common = [...nodeArguments, program, 'worker'];
    const worker = await programs.background('worker', common, settings, 'ready');
    await programs.background('worker-train-01', [program, 'worker', '--host', 'train-01'], settings, 'ready');
    const file = join(folder, 'understudy.yaml');
    const understudy = (...args: string[]) =>
      programs.run(program, ['-t', file, ...args], settings, args[0] === 'status' ? [0, 4, 5] : [0]);
    return await work({ stack, azure, worker, file, settings, understudy });
  } finally {
    await programs.end();
    await stackDown(join(folder, 'stack'));
  }
}

async function setUp(
  programs: Programs,
  folder: string,
  stack: Stack,
  further: Further,
): Promise<{ settings: Record<string, string>; azure: Azure }> {
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
  return { settings, azure };
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
  const datastore = await azure.arm.get(`${workspace}/datastores/workspaceblobstore`, apiVersions.machineLearning);
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

export async function goDark({ cloud }: Stack): Promise<void> {
  const answer = await fetch(`${cloud.admin}/regions/eastus/outage`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: '{"mode":"dark"}',
  });
  if (!answer.ok) throw new Error(`the outage could not be made: HTTP ${answer.status}`);
}
