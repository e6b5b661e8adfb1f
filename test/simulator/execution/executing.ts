/** A workspace with a compute that really runs jobs, for one test file, and what its tests do with it. */

import { vi } from 'vitest';
import { beganAt } from '../../../simulator/machinelearning/execution/command/job-process.ts';
import type { Json, JsonObject } from '../../../simulator/contract/index.ts';
import { makeWorkspace, properties, startFixture, text, type Fixture } from '../machinelearning/fixture.ts';

const FINISHED = ['Completed', 'Failed', 'Canceled'];

export class ExecutingWorkspace {
  readonly azure: Fixture;
  readonly id: string;
  private readonly region: string;
  private readonly account: string;
  private readonly container: string;

  private constructor(azure: Fixture, region: string, id: string, datastore: JsonObject) {
    this.azure = azure;
    this.region = region;
    this.id = id;
    this.account = text(datastore.accountName);
    this.container = text(datastore.containerName);
  }

  /** `speed`: clock seconds per real second. */
  static async start(speed = 1): Promise<ExecutingWorkspace> {
    const azure = await startFixture({ pace: 0, speed });
    return ExecutingWorkspace.make(azure, 'eastus', 'runs-east');
  }

  static async make(azure: Fixture, region: string, name: string): Promise<ExecutingWorkspace> {
    const id = await makeWorkspace(azure, region, name);
    const { body } = await azure.arm('GET', `${id}/datastores/workspaceblobstore`);
    const workspace = new ExecutingWorkspace(azure, region, id, properties(body));
    await workspace.compute('executing', 2, { 'local-azure-execute': 'true' });
    await azure.put(`${id}/environments/plain/versions/1`, { properties: { image: 'ubuntu' } });
    return workspace;
  }

  async compute(name: string, maxNodeCount: number, tags: JsonObject): Promise<void> {
    await this.azure.put(`${this.id}/computes/${name}`, {
      tags,
      properties: {
        computeType: 'AmlCompute',
        properties: { vmSize: 'Standard_DS3_v2', scaleSettings: { maxNodeCount } },
      },
    });
  }

  /** A file in the default datastore. */
  async write(path: string, content: string | Buffer): Promise<void> {
    const { blobs } = this.azure.running.cloud;
    await blobs.putBlob(this.account, this.container, path, Buffer.from(content));
  }

  async read(path: string): Promise<string | undefined> {
    return this.azure.running.cloud.blobs.getBlob(this.account, this.container, path);
  }

  async files(folder: string): Promise<string[]> {
    const names = await this.azure.running.cloud.blobs.listBlobs(this.account, this.container, folder);
    return names.map((name) => name.slice(folder.length)).sort();
  }

  /** Registers a snapshot of code. */
  async code(name: string, files: Record<string, string>): Promise<void> {
    for (const [path, content] of Object.entries(files)) await this.write(`code/${name}/${path}`, content);
    const codeUri = `${this.azure.running.cloud.dataPlane(this.region)}/${this.account}/${this.container}/code/${name}`;
    await this.azure.put(`${this.id}/codes/${name}/versions/1`, { properties: { codeUri } });
  }

  /** Submits a job that begins at once. */
  async submit(name: string, body: JsonObject): Promise<string> {
    const { status, body: answer } = await this.azure.arm('PUT', `${this.id}/jobs/${name}`, {
      properties: {
        jobType: 'Command',
        environmentId: `${this.id}/environments/plain/versions/1`,
        computeId: `${this.id}/computes/executing`,
        properties: { 'simulator.prepareSeconds': '0', 'simulator.queueSeconds': '0' },
        ...body,
      },
    });
    if (status !== 201) throw new Error(`${status} ${JSON.stringify(answer)}`);
    return name;
  }

  async workspaceProperties(): Promise<JsonObject> {
    return properties((await this.azure.arm('GET', this.id)).body);
  }

  async job(name: string): Promise<JsonObject> {
    return properties((await this.azure.arm('GET', `${this.id}/jobs/${name}`)).body);
  }

  /** Waits for a status. */
  async reaches(name: string, ...statuses: string[]): Promise<Json | undefined> {
    return vi.waitFor(
      async () => {
        const status = text((await this.job(name)).status);
        if (!statuses.includes(status)) throw new Error(`job '${name}' is ${status}, not ${statuses.join(' or ')}`);
        return status;
      },
      { timeout: 60_000, interval: 50 },
    );
  }

  async ends(name: string): Promise<Json | undefined> {
    return this.reaches(name, ...FINISHED);
  }

  /** A log of a job, in the store of artifacts. */
  async log(name: string, file = 'user_logs/std_log.txt'): Promise<string | undefined> {
    const path = `ExperimentRun/dcid.${name}/${file}`;
    return this.azure.running.cloud.blobs.getBlob(this.account, 'azureml', path);
  }

  /** What run history says of a job. */
  async details(name: string): Promise<JsonObject> {
    return (await this.history(`/runs/${name}/details`)).body;
  }

  async history(path: string): ReturnType<Fixture['send']> {
    const { authority, tenantId, clientId, clientSecret, arm } = this.azure.running.address;
    const form = new URLSearchParams({
      grant_type: 'client_credentials',
      client_id: clientId,
      client_secret: clientSecret,
      scope: `${arm}/.default`,
    });
    const headers = { 'content-type': 'application/x-www-form-urlencoded' };
    const url = `${authority}/${tenantId}/oauth2/v2.0/token`;
    const token = text((await this.azure.send('POST', url, Buffer.from(form.toString()), headers)).body.access_token);
    const api = `${this.azure.running.cloud.dataPlane(this.region)}/_/aml/history/v1.0${this.id}`;
    return this.azure.send('GET', `${api}${path}`, undefined, { authorization: `Bearer ${token}` });
  }
}

/** Is there a process with this id, which has not ended? */
export function isAlive(pid: number): boolean {
  return beganAt(pid) !== undefined;
}
