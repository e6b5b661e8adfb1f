import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Json, JsonObject } from '../../../simulator/contract/index.ts';
import { makeWorkspace, message, properties, startFixture, type Fixture } from './fixture.ts';

let azure: Fixture;
let workspace: string;
let count = 0;

beforeAll(async () => {
  // Operations end at once, and the clock stands still but for what a test drives: nothing here waits for real time to
  // pass.
  azure = await startFixture({ pace: 0, speed: 0 });
  workspace = await makeWorkspace(azure, 'eastus', 'fraud-east');
  await azure.put(`${workspace}/computes/cpu-cluster`, cluster(2));
  await azure.put(`${workspace}/environments/sklearn/versions/1`, {
    properties: { image: 'mcr.microsoft.com/azureml/base:1' },
  });
  await azure.put(`${workspace}/codes/train/versions/1`, { properties: { codeUri: 'https://a/b' } });
}, 60_000);
afterAll(() => azure?.close());

const cluster = (maxNodeCount: number): JsonObject => ({
  properties: {
    computeType: 'AmlCompute',
    properties: { vmSize: 'Standard_DS3_v2', scaleSettings: { maxNodeCount } },
  },
});
const advance = (seconds: number): void => azure.running.clock.advance(seconds * 1000);

/** A command job that lives as `life` says. */
function command(life: Record<string, string> = {}, more: JsonObject = {}): { properties: JsonObject } {
  const bag = Object.fromEntries(
    Object.entries({ prepareSeconds: '1', queueSeconds: '1', runSeconds: '10', ...life }).map(([key, value]) => [
      `simulator.${key}`,
      value,
    ]),
  );
  return {
    properties: {
      jobType: 'Command',
      command: 'python train.py',
      environmentId: `${workspace}/environments/sklearn/versions/1`,
      codeId: `${workspace}/codes/train/versions/1`,
      computeId: `${workspace}/computes/cpu-cluster`,
      properties: bag,
      ...more,
    },
  };
}

async function submit(body: Json, name = `job-${count++}`): Promise<string> {
  const { status, body: answer } = await azure.arm('PUT', `${workspace}/jobs/${name}`, body);
  if (status !== 201) throw new Error(`${status} ${JSON.stringify(answer)}`);
  return `${workspace}/jobs/${name}`;
}

async function status(job: string): Promise<Json | undefined> {
  return properties((await azure.arm('GET', job)).body).status;
}

/** Each test begins with the compute free. */
beforeEach(() => advance(100_000));

describe('the life of a job', () => {
  it('passes through its states by the clock', async () => {
    const job = await submit(command());
    const seen = [await status(job)];
    for (const seconds of [0.3, 0.3, 0.5, 1, 10, 1]) {
      advance(seconds);
      seen.push(await status(job));
    }
    expect(seen).toEqual(['NotStarted', 'Starting', 'Preparing', 'Queued', 'Running', 'Finalizing', 'Completed']);
  });

  it('ends as it was told, or at its limit', async () => {
    const failing = await submit(command({ outcome: 'Failed' }));
    const limited = await submit(command({}, { limits: { jobLimitsType: 'Command', timeout: 'PT5S' } }));
    advance(8.5);
    expect(await status(limited)).toBe('Canceled');
    expect(await status(failing)).toBe('Running');
    advance(5);
    expect(await status(failing)).toBe('Failed');
  });

  it('waits while the nodes of its compute are taken', async () => {
    const jobs = [await submit(command()), await submit(command()), await submit(command())];
    advance(3);
    expect(await Promise.all(jobs.map(status))).toEqual(['Running', 'Running', 'Queued']);
    const nodes = await azure.arm('POST', `${workspace}/computes/cpu-cluster/listNodes`);
    expect((nodes.body.nodes as JsonObject[]).map((node) => node.nodeState)).toEqual(['running', 'running']);
    const { body } = await azure.arm('GET', `${workspace}/computes/cpu-cluster`);
    expect(properties(body).properties).toMatchObject({
      currentNodeCount: 2,
      nodeStateCounts: { runningNodeCount: 2, idleNodeCount: 0 },
    });
    advance(10.5);
    expect(await Promise.all(jobs.map(status))).toEqual(['Completed', 'Completed', 'Running']);
  });

  it('moves up when one before it is canceled, and when the compute grows', async () => {
    const jobs = [
      await submit(command({ runSeconds: '1000' })),
      await submit(command({ runSeconds: '1000' })),
      await submit(command()),
      await submit(command()),
    ];
    advance(3);
    expect(await status(jobs[2] ?? '')).toBe('Queued');
    await azure.put(
      `${workspace}/computes/cpu-cluster`,
      { properties: { properties: { scaleSettings: { maxNodeCount: 3 } } } },
      'PATCH',
    );
    advance(1);
    expect(await Promise.all(jobs.map(status))).toEqual(['Running', 'Running', 'Running', 'Queued']);
    const answer = await azure.arm('POST', `${jobs[0]}/cancel`);
    expect(answer.status).toBe(202);
    expect(answer.headers.location).toBeDefined();
    expect(await status(jobs[0] ?? '')).toBe('CancelRequested');
    advance(3);
    expect(await Promise.all(jobs.map(status))).toEqual(['Canceled', 'Running', 'Running', 'Running']);
    await azure.put(
      `${workspace}/computes/cpu-cluster`,
      { properties: { properties: { scaleSettings: { maxNodeCount: 2 } } } },
      'PATCH',
    );
  });

  it('never starts without nodes enough, and fails when its compute is deleted', async () => {
    const huge = await submit(command({}, { resources: { instanceCount: 5 } }));
    await azure.put(`${workspace}/computes/passing`, cluster(1));
    const homeless = await submit(command({ runSeconds: '1000' }, { computeId: `${workspace}/computes/passing` }));
    advance(3);
    expect([await status(huge), await status(homeless)]).toEqual(['Queued', 'Running']);
    const undecided = await azure.arm('DELETE', `${workspace}/computes/passing`);
    expect([undecided.status, message(undecided.body)]).toEqual([
      400,
      expect.stringContaining('underlyingResourceAction'),
    ]);
    const deleting = await azure.arm('DELETE', `${workspace}/computes/passing?underlyingResourceAction=Delete`);
    advance(1);
    await azure.settle(deleting);
    expect(await status(homeless)).toBe('Failed');
    await azure.arm('POST', `${huge}/cancel`);
  });

  it('goes on through a restart and an outage of its region', async () => {
    const jobs = [await submit(command()), await submit(command()), await submit(command())];
    advance(3);
    await azure.running.faults.setOutage('eastus', { mode: 'dark' });
    await expect(azure.arm('GET', jobs[0] ?? '')).rejects.toThrow(/socket|ECONN|hang up/i);
    await azure.restart();
    advance(10.5);
    await azure.running.faults.setOutage('eastus', { mode: 'none' });
    expect(await Promise.all(jobs.map(status))).toEqual(['Completed', 'Completed', 'Running']);
  });
});

describe('checkpoints', () => {
  const checkpointed = (uri: string, more: JsonObject = {}): { properties: JsonObject } =>
    command(
      { runSeconds: '100', checkpointEverySeconds: '10' },
      { outputs: { checkpoints: { jobOutputType: 'uri_folder', uri } }, ...more },
    );

  async function written(path: string): Promise<string[]> {
    const { body } = await azure.arm('GET', `${workspace}/datastores/workspaceblobstore`);
    const { accountName, containerName } = properties(body) as { accountName: string; containerName: string };
    const names = await azure.running.cloud.blobs.listBlobs(accountName, containerName, path);
    return names.map((name) => name.slice(path.length)).sort();
  }

  it('are written while the clock runs, dark region or not, and no longer once canceled', async () => {
    const job = await submit(checkpointed('azureml://datastores/workspaceblobstore/paths/runs/a/'));
    advance(2);
    advance(15);
    await vi.waitFor(async () => expect(await written('runs/a/')).toEqual(['step-1.json']));
    await azure.running.faults.setOutage('eastus', { mode: 'dark' });
    advance(20);
    await azure.running.faults.setOutage('eastus', { mode: 'none' });
    await vi.waitFor(async () =>
      expect(await written('runs/a/')).toEqual(['step-1.json', 'step-2.json', 'step-3.json']),
    );
    await azure.arm('POST', `${job}/cancel`);
    advance(1000);
    const answer = await azure.arm('GET', job);
    expect(properties(answer.body).status).toBe('Canceled');
    expect(await written('runs/a/')).toHaveLength(3);
  });

  it('are taken up by a job that finds them in an input', async () => {
    const uri = 'azureml://datastores/workspaceblobstore/paths/runs/a/';
    const job = await submit(
      checkpointed('azureml://datastores/workspaceblobstore/paths/runs/b/', {
        inputs: { resume_from: { jobInputType: 'uri_folder', uri } },
      }),
    );
    advance(2);
    advance(69);
    // Three of ten steps are done already: it runs for seventy seconds, not a hundred.
    expect(await status(job)).toBe('Running');
    advance(3);
    expect(await status(job)).toBe('Completed');
    await vi.waitFor(async () => expect(await written('runs/b/')).toHaveLength(7));
    expect(await written('runs/b/')).toEqual([
      'step-10.json',
      'step-4.json',
      'step-5.json',
      'step-6.json',
      'step-7.json',
      'step-8.json',
      'step-9.json',
    ]);
  });
});

describe('a job that exists', () => {
  it('takes the same body, merges tags, and refuses any other', async () => {
    const body = command({}, { tags: { a: '1' }, displayName: 'first' });
    const job = await submit(body);
    const before = (await azure.arm('GET', job)).body;
    const same = await azure.arm('PUT', job, body);
    expect([same.status, properties(same.body)]).toEqual([200, properties(before)]);
    expect((await azure.arm('PUT', job, { properties: properties(before) })).status).toBe(200);
    const tagged = await azure.arm('PUT', job, {
      properties: { ...body.properties, tags: { b: '2' }, isArchived: true },
    });
    expect(properties(tagged.body)).toMatchObject({ tags: { a: '1', b: '2' }, isArchived: true });
    const refused = await azure.arm('PUT', job, { properties: { ...body.properties, command: 'rm -rf /' } });
    expect([refused.status, message(refused.body)]).toEqual([
      400,
      expect.stringContaining("existing job's Command cannot be changed"),
    ]);
    expect(properties((await azure.arm('GET', job)).body).command).toBe(body.properties.command);
  });

  it('is deleted only when it has finished, and canceled only before', async () => {
    const job = await submit(command());
    advance(3);
    const running = await azure.arm('DELETE', job);
    expect([running.status, message(running.body)]).toEqual([409, expect.stringContaining('Running')]);
    advance(20);
    const finished = await azure.arm('POST', `${job}/cancel`);
    expect([finished.status, message(finished.body)]).toEqual([400, expect.stringContaining('Completed')]);
    const deleting = await azure.arm('DELETE', job);
    expect(deleting.status).toBe(202);
    advance(1);
    await azure.settle(deleting);
    expect((await azure.arm('GET', job)).status).toBe(404);
  });

  it('is listed by kind, tag and view, newest first, in pages', async () => {
    const older = await submit(command({}, { tags: { batch: 'x' } }));
    const newer = await submit(command({}, { tags: { batch: 'x' }, isArchived: true }));
    const list = `${workspace}/jobs`;
    const names = async (query: string): Promise<Json[]> =>
      (await azure.list(`${list}?${query}`)).map((job) => job.id ?? null);
    expect(await names('tag=batch=x')).toEqual([older]);
    expect(await names('tag=batch&listViewType=All')).toEqual([newer, older]);
    expect(await names('jobType=Spark')).toEqual([]);
    expect((await azure.arm('GET', list)).body.nextLink).toBeDefined();
    const all = await names('listViewType=All');
    expect(new Set(all).size).toBe(all.length);
  });
});

describe('a job is refused', () => {
  const cases: [string, JsonObject, number, string][] = [
    ['of an unknown kind', { jobType: 'Dance' }, 400, "got 'Dance'"],
    ['without a command', { command: null }, 400, 'properties.command'],
    ['on a compute that is not there', { computeId: 'gone' }, 400, "Unknown compute target 'gone'"],
    ['in an environment that is not there', { environmentId: 'azureml:sklearn:9' }, 404, "'azureml:sklearn:9'"],
    ['with code that is not there', { codeId: 'azureml:nowhere:1' }, 404, "'azureml:nowhere:1'"],
    [
      'with data that is not there',
      { inputs: { d: { jobInputType: 'uri_file', uri: 'azureml:none:1' } } },
      404,
      'inputs.d.uri',
    ],
    [
      'on a datastore that is not there',
      { outputs: { o: { jobOutputType: 'uri_folder', uri: 'azureml://datastores/none/paths/a' } } },
      400,
      "'none'",
    ],
    ['with a life that is none', { properties: { 'simulator.runSeconds': 'long' } }, 400, 'simulator.runSeconds'],
    ['with an experiment of no name', { experimentName: 'a b' }, 400, 'experimentName'],
  ];

  it.each(cases)('%s', async (_, change, expected, said) => {
    const refused = await azure.arm('PUT', `${workspace}/jobs/refused`, {
      properties: { ...command().properties, ...change },
    });
    expect([refused.status, message(refused.body)]).toEqual([expected, expect.stringContaining(said)]);
    expect((await azure.arm('GET', `${workspace}/jobs/refused`)).status).toBe(404);
  });

  it('with what is of another workspace', async () => {
    const environmentId = `${workspace.replace('fraud-east', 'fraud-west')}/environments/sklearn/versions/1`;
    const refused = await azure.arm('PUT', `${workspace}/jobs/refused`, {
      properties: { ...command().properties, environmentId },
    });
    expect([refused.status, message(refused.body)]).toEqual([400, expect.stringContaining('another workspace')]);
  });
});
