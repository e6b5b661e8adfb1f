/**
 * What all of it is for: a training that really runs dies with its region, the product moves the workspace, and what
 * its successor ends with is, bit for bit, what a training that never stopped ends with. The local Azure runs it as a
 * process; nothing of it is simulated.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ContainerClient } from '@azure/storage-blob';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readText, type Resource } from './azure-reader.ts';
import { Scene } from './harness.ts';
import { Report } from '../../src/report/schema.ts';
import { waitFor } from './processes.ts';
import { root } from './set-up.ts';

const steps = 600;
const every = 20;
const finished = ['Completed', 'Failed', 'Canceled'];

/**
 * The same training, so slow in the first region that it is in mid-work for a minute; and its checkpoints are of two
 * files, the second of which says that the first is whole.
 */
const paced = `import hashlib, os, time, train
write = train.write_atomically
def write_both(file, content):
    write(file, content)
    if file.name.startswith("step-"):
        write(file.with_suffix(".sha256"), hashlib.sha256(content.encode()).hexdigest())
train.write_atomically = write_both
step = train.Training.run_step
def slowly(self, rows, batch):
    time.sleep(0.1 if os.environ["AZUREML_ARM_WORKSPACE_NAME"] == "fraud-east" else 0)
    step(self, rows, batch)
train.Training.run_step = slowly
train.main()
`;

/** A workspace and its default container. */
interface Side {
  id: string;
  container: ContainerClient;
  containerName: string;
  account: string;
}

describe('a training that dies with its region', () => {
  let scene: Scene;
  let east: Side;
  let west: Side;
  let whole: string;
  let code: number | NodeJS.Signals;
  let output = '';

  beforeAll(async () => {
    scene = await Scene.open({
      topology: (text) => text.replace('\njobs:\n', '\njobs:\n  checkpoint: { complete: "*.sha256" }\n'),
    });
    east = await openSide(scene, 'ml-east', 'fraud-east');
    west = await openSide(scene, 'ml-west', 'fraud-west');
    await putCode(scene, east);
    for (const side of [east, west]) await putCompute(scene, side);
    await submit(scene, east, 'proof-whole', 'train.py');
    expect(await statusWhen(scene, east, 'proof-whole', finished)).toBe('Completed');
    whole = await readText(east.container.getBlobClient('azureml/proof-whole/model/model.json'));

    await submit(scene, east, 'proof-interrupted', 'paced.py');
    const folder = 'checkpoints/proof-interrupted/';
    await waitFor('two checkpoints', async () => {
      const written = await names(east.container, folder);
      return written.filter((name) => name.endsWith('.sha256')).length > 1;
    });
    await putHalf(east, folder);
    const replicated = await scene.run(['replicate', '--reason', 'in the midst of a training']);
    expect(replicated.code, replicated.output).toBe(0);
    expect(await names(east.container, folder)).not.toContain(`${folder}step-${steps}.json`);
    expect(await statusWhen(scene, east, 'proof-interrupted', ['Running'])).toBe('Running');
    await scene.admin('POST', '/regions/eastus/outage', { mode: 'dark', jobs: 'killed' });
    const failover = await scene.run(['failover', '--to', 'westus3', '--yes', '--reason', 'eastus is gone']);
    ({ code, output } = failover);
  });
  afterAll(() => scene?.close());

  it('is moved by the product', () => {
    expect(code, output).toBe(0);
  });

  it('goes on in the standby from its last copied checkpoint, and ends bit for bit as one that never stopped', async () => {
    const successors = (await scene.azure.list(`${west.id}/jobs?listViewType=All`)).filter(isProof);
    expect(successors.map(({ properties }) => properties.displayName)).toEqual(['proof-interrupted']);
    const [{ name } = { name: '' }] = successors;
    expect(await statusWhen(scene, west, name, finished)).toBe('Completed');
    const artifacts = await openContainer(scene, west, 'azureml');
    const log = await readText(artifacts.getBlobClient(`ExperimentRun/dcid.${name}/user_logs/std_log.txt`));
    const [, step] = /^resumed from .* at step (\d+)$/m.exec(log) ?? [];
    expect(Number(step), log).toBeGreaterThanOrEqual(2 * every);
    expect(Number(step), log).toBeLessThan(steps);
    expect(whole).toContain(`"steps": ${steps}`);
    expect(await readText(west.container.getBlobClient(`azureml/${name}/model/model.json`))).toBe(whole);
  });

  it('was not given half of a checkpoint, the highest of all, and the report says what it lost', async () => {
    const [{ name } = { name: '' }] = (await scene.azure.list(`${west.id}/jobs?listViewType=All`)).filter(isProof);
    const brought = await names(west.container, `understudy/resume/${name}/`);
    expect(brought.some((each) => each.endsWith('.sha256'))).toBe(true);
    expect(brought.filter((each) => each.includes(half))).toEqual([]);
    const [, folder = ''] = /^Report: (.+)\/report\.html/m.exec(output) ?? [];
    const report = Report.parse(JSON.parse(await readFile(join(scene.folder, 'cli', folder, 'report.json'), 'utf8')));
    const moved = report.jobs.find(({ old }) => old === 'proof-interrupted');
    expect(moved?.lost).toMatchObject({ from: 'checkpoint', gpus: 0 });
    const { rpo } = report.objectives.find((each) => each.class === 'training') ?? {};
    expect(rpo?.worst?.lostMs ?? 0).toBeGreaterThanOrEqual(moved?.lost?.ms ?? NaN);
    expect(rpo?.measuredMs).toBeGreaterThanOrEqual(rpo?.worst?.lostMs ?? NaN);
  });

  it('is Failed in its own region when that is back, having written no model', async () => {
    await scene.outage('eastus', 'none');
    expect(await statusWhen(scene, east, 'proof-interrupted', finished)).toBe('Failed');
    expect(await names(east.container, 'azureml/proof-interrupted/model/')).toEqual([]);
  });
});

const half = 'step-590';

/**
 * As if the training had come to write the highest of its checkpoints and had not ended: what is there would be read as
 * one.
 */
async function putHalf({ container }: Side, folder: string): Promise<void> {
  const state = JSON.parse(await readText(container.getBlobClient(`${folder}step-${every}.json`))) as {
    step: number;
  };
  const content = JSON.stringify({ ...state, step: 590 });
  await container.getBlockBlobClient(`${folder}${half}.json`).upload(content, Buffer.byteLength(content));
}

function isProof({ properties }: Resource): boolean {
  return properties.experimentName === 'proof';
}

async function openSide(scene: Scene, group: string, name: string): Promise<Side> {
  const id = scene.azure.workspace(group, name);
  const { properties } = await scene.azure.get(id);
  const store = await scene.azure.get(`${id}/datastores/workspaceblobstore`);
  const side = {
    id,
    account: String(properties.storageAccount),
    containerName: String(store.properties.containerName),
  };
  return { ...side, container: await openContainer(scene, side, side.containerName) };
}

async function openContainer(scene: Scene, { account }: { account: string }, name: string): Promise<ContainerClient> {
  return (await scene.azure.blobs(account)).getContainerClient(name);
}

/** The example's own training, and rows for it. */
async function putCode(scene: Scene, { id, container }: Side): Promise<void> {
  const train = await readFile(join(root, 'examples', 'fraud-ml', 'src', 'train', 'train.py'), 'utf8');
  const files = {
    'code/proof/train.py': train,
    'code/proof/paced.py': paced,
    'proof-rows/rows.csv': rows(),
    // A folder that an input names must be there; this one has no checkpoint to begin from.
    'proof-start/README': 'no checkpoint',
  };
  for (const [name, content] of Object.entries(files))
    await container.getBlockBlobClient(name).upload(content, Buffer.byteLength(content));
  await scene.azure.put(`${id}/codes/proof/versions/1`, {
    properties: { codeUri: `${container.url}/code/proof` },
  });
  await scene.azure.put(`${id}/data/proof-rows/versions/1`, {
    properties: {
      dataType: 'uri_folder',
      dataUri: 'azureml://datastores/workspaceblobstore/paths/proof-rows/',
    },
  });
  await scene.azure.put(`${id}/environments/proof/versions/1`, { properties: { image: 'python:3.11' } });
}

function rows(): string {
  const columns = 'amount,card_present,account_age_days,distance_km,previous_day_count,night,is_fraud';
  const lines = Array.from({ length: 300 }, (_, i) => {
    const [amount, distance] = [(i * 37) % 500, (i * 91) % 900];
    return [
      amount,
      i % 2,
      (i * 13) % 2000,
      distance,
      i % 7,
      Number(i % 3 === 0),
      Number(amount + distance > 900),
    ].join();
  });
  return [columns, ...lines].join('\n');
}

/** A cluster that really runs jobs, in both regions. */
async function putCompute(scene: Scene, { id }: Side): Promise<void> {
  const compute = `${id}/computes/proof-cluster`;
  await scene.azure.put(compute, {
    tags: { 'local-azure-execute': 'true' },
    properties: {
      computeType: 'AmlCompute',
      properties: { vmSize: 'STANDARD_DS3_V2', scaleSettings: { minNodeCount: 0, maxNodeCount: 1 } },
    },
  });
  await waitFor('the cluster', async () => {
    const { properties } = await scene.azure.get(compute);
    return properties.provisioningState === 'Succeeded';
  });
}

async function submit(scene: Scene, { id }: Side, name: string, script: string): Promise<void> {
  const store = 'azureml://datastores/workspaceblobstore/paths';
  await scene.azure.put(`${id}/jobs/${name}`, {
    properties: {
      jobType: 'Command',
      experimentName: 'proof',
      displayName: name,
      command: `python3 ${script} --data \${{inputs.rows}} --resume-from \${{inputs.resume_from}} --checkpoints \${{outputs.checkpoints}} --model \${{outputs.model}} --steps ${steps} --batch 50 --checkpoint-every ${every}`,
      codeId: `${id}/codes/proof/versions/1`,
      environmentId: `${id}/environments/proof/versions/1`,
      computeId: `${id}/computes/proof-cluster`,
      inputs: {
        rows: { jobInputType: 'uri_folder', uri: `${id}/data/proof-rows/versions/1`, mode: 'Download' },
        resume_from: {
          jobInputType: 'uri_folder',
          uri: `${store}/proof-start/`,
          mode: 'Download',
        },
      },
      outputs: {
        checkpoints: {
          jobOutputType: 'uri_folder',
          uri: `${store}/checkpoints/${name}/`,
          mode: 'ReadWriteMount',
        },
        model: { jobOutputType: 'uri_folder', mode: 'Upload' },
      },
    },
  });
}

async function statusWhen(scene: Scene, { id }: Side, name: string, statuses: string[]): Promise<string> {
  return waitFor(
    `job ${name} to be ${statuses.join(' or ')}`,
    async () => {
      const status = String((await scene.azure.get(`${id}/jobs/${name}`)).properties.status);
      return statuses.includes(status) ? status : undefined;
    },
    120,
  );
}

async function names(container: ContainerClient, prefix: string): Promise<string[]> {
  const found: string[] = [];
  for await (const { name } of container.listBlobsFlat({ prefix })) found.push(name);
  return found;
}
