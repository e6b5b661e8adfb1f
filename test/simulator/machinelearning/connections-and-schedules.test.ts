import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CONNECTION_CATEGORIES } from '../../../simulator/machinelearning/workspaces/connection-categories.ts';
import type { JsonObject } from '../../../simulator/contract/index.ts';
import { findDescriptions, load } from './api-description.ts';
import { makeWorkspace, message, properties, startFixture, type Fixture } from './fixture.ts';

let azure: Fixture;
let workspace: string;

beforeAll(async () => {
  azure = await startFixture();
  workspace = await makeWorkspace(azure, 'eastus', 'fraud-east');
  await azure.put(`${workspace}/environments/sklearn/versions/1`, {
    properties: { image: 'mcr.microsoft.com/azureml/base:1' },
  });
}, 60_000);
afterAll(() => azure?.close());

describe('a connection', () => {
  const at = (): string => `${workspace}/connections/python-feed`;
  const body = {
    properties: {
      category: 'PythonFeed',
      target: 'https://pypi.example',
      authType: 'PAT',
      credentials: { pat: 'canary' },
    },
  };

  it('keeps its credentials to listsecrets', async () => {
    const created = await azure.arm('PUT', at(), body);
    expect(created.status).toBe(200);
    const seen = [created.body, (await azure.arm('GET', at())).body, await azure.list(`${workspace}/connections`)];
    expect(JSON.stringify(seen)).not.toContain('canary');
    expect(properties(created.body)).toMatchObject({
      category: 'PythonFeed',
      target: 'https://pypi.example',
      authType: 'PAT',
    });
    expect(properties((await azure.arm('POST', `${at()}/listsecrets`)).body).credentials).toEqual({
      pat: 'canary',
    });
  });

  it('is listed by category, and loses its credentials with its kind of access', async () => {
    expect(await azure.list(`${workspace}/connections?category=Git`)).toEqual([]);
    expect(await azure.list(`${workspace}/connections?category=pythonfeed`)).toHaveLength(1);
    await azure.arm('PUT', at(), { properties: { ...body.properties, authType: 'None', credentials: null } });
    expect(properties((await azure.arm('POST', `${at()}/listsecrets`)).body).credentials).toBeUndefined();
    const unknown = await azure.arm('PUT', at(), {
      properties: { ...body.properties, authType: 'Handshake' },
    });
    expect([unknown.status, message(unknown.body)]).toEqual([400, expect.stringContaining("got 'Handshake'")]);
  });

  it('is of a category that its version of the API has', async () => {
    const sent = (category: string, version: string): Promise<{ status: number; body: JsonObject }> =>
      azure.arm('PUT', `${workspace}/connections/a-category?api-version=${version}`, {
        properties: { category, target: 'https://example.org', authType: 'None' },
      });
    const refused = await sent('GitX', '2024-04-01');
    expect([refused.status, message(refused.body)]).toEqual([
      400,
      expect.stringContaining("'GitX' is no category of connections in api-version 2024-04-01"),
    ]);
    expect(properties((await sent('git', '2024-04-01')).body).category).toBe('Git');
    const later = await sent('AzureKeyVault', '2025-06-01');
    expect([later.status, properties(later.body).category]).toEqual([200, 'AzureKeyVault']);
    expect((await sent('AzureKeyVault', '2024-04-01')).status).toBe(200); // As it is: that is no change.
    expect((await sent('AzureStorageAccount', '2024-04-01')).status).toBe(400);
  });

  it.skipIf(findDescriptions() === undefined)('has the categories that Azure publishes', () => {
    const { definitions } = load(join(findDescriptions() ?? '', 'machineLearningServices.json')) as {
      definitions: { ConnectionCategory: { enum: string[] } };
    };
    expect(CONNECTION_CATEGORIES).toEqual(definitions.ConnectionCategory.enum);
  });
});

describe('a schedule', () => {
  const at = (): string => `${workspace}/schedules/nightly`;
  const jobDefinition = {
    jobType: 'Command',
    command: 'python train.py',
    environmentId: `${workspace}/environments/sklearn/versions/1`,
    inputs: {
      d: {
        jobInputType: 'uri_folder',
        uri: 'azureml://datastores/workspaceblobstore/paths/d/',
        mode: 'Download',
      },
    },
    queueSettings: { jobTier: 'Standard' },
  };
  const schedule = (more: JsonObject = {}): JsonObject => ({
    properties: {
      displayName: 'Nightly',
      trigger: {
        triggerType: 'Cron',
        expression: '0 2 * * *',
        timeZone: 'UTC',
        startTime: '2030-01-01T00:00:00',
      },
      action: {
        actionType: 'CreateJob',
        jobDefinition: { ...jobDefinition, environmentId: `${workspace}/environments/sklearn/versions/1` },
      },
      ...more,
    },
  });

  it('comes back whole, and is disabled and enabled', async () => {
    const made = await azure.put(at(), schedule());
    expect(properties(made)).toMatchObject({
      ...(schedule().properties as JsonObject),
      isEnabled: true,
      provisioningState: 'Succeeded',
    });
    const names = async (view: string): Promise<unknown[]> =>
      (await azure.list(`${workspace}/schedules${view}`)).map((entry) => entry.name);
    expect(await names('')).toEqual(['nightly']);
    await azure.put(at(), schedule({ isEnabled: false }));
    expect([await names(''), await names('?listViewType=DisabledOnly'), await names('?listViewType=All')]).toEqual([
      [],
      ['nightly'],
      ['nightly'],
    ]);
  });

  it('is refused without a trigger that can be, or a job that could run', async () => {
    const refused = async (more: JsonObject): Promise<string> =>
      message((await azure.arm('PUT', `${workspace}/schedules/bad`, schedule(more))).body);
    expect(await refused({ trigger: { triggerType: 'Cron', expression: 'every night' } })).toContain('five fields');
    expect(await refused({ trigger: { triggerType: 'Moon' } })).toContain("got 'Moon'");
    expect(await refused({ action: { actionType: 'CreateJob' } })).toContain('jobDefinition');
    expect(
      await refused({
        action: {
          actionType: 'CreateJob',
          jobDefinition: { ...jobDefinition, environmentId: 'azureml:none:1' },
        },
      }),
    ).toContain("'azureml:none:1'");
    expect(
      await refused({
        action: {
          actionType: 'CreateJob',
          jobDefinition: { ...jobDefinition, computeId: 'gone' },
        },
      }),
    ).toContain("'gone'");
    const job = { actionType: 'CreateJob', jobDefinition: { ...jobDefinition, inputs: { a: 3 } } };
    expect(await refused({ action: job })).toContain('jobDefinition.inputs.a: expected an object, got 3');
    expect((await azure.arm('GET', `${workspace}/schedules/bad`)).status).toBe(404);
  });

  it.each<[JsonObject, string]>([
    [{ startTime: '2030-01-02T00:00:00', endTime: '2030-01-01T00:00:00' }, 'endTime'],
    [{ timeZone: 'Nowhere' }, 'timeZone'],
    [{ startTime: 'tomorrow' }, 'startTime'],
    [{ endTime: '2030-13-01' }, 'endTime'],
    [{ interval: 0 }, 'interval'],
    [{ frequency: 'Yearly' }, 'frequency'],
    [{ schedule: { hours: [25], minutes: [0] } }, 'schedule.hours'],
    [{ schedule: { hours: [1], minutes: [0], weekDays: ['Funday'] } }, 'schedule.weekDays'],
  ])('is refused with the trigger %j', async (more, field) => {
    const trigger = { triggerType: 'Recurrence', frequency: 'Day', interval: 1, ...more };
    const answer = await azure.arm('PUT', `${workspace}/schedules/bad`, schedule({ trigger }));
    expect([answer.status, message(answer.body)]).toEqual([
      400,
      expect.stringContaining(`properties.trigger.${field}`),
    ]);
  });

  it('may have a frequency in lower case, as azure-ai-ml writes it', async () => {
    const trigger = { triggerType: 'Recurrence', frequency: 'week', interval: 2 };
    const made = await azure.put(`${workspace}/schedules/lower`, schedule({ trigger }));
    expect(properties(made)).toMatchObject({ trigger: { frequency: 'Week', interval: 2 } });
  });

  it('is triggered by hand', async () => {
    await azure.put(`${workspace}/schedules/by-hand`, schedule({}));
    const path = `${workspace}/schedules/by-hand/trigger?api-version=2024-01-01-preview`;
    const scheduleTime = '2026-01-05T06:30:00.123456+00:00';
    expect(await azure.arm('POST', path, { scheduleTime })).toMatchObject({
      status: 200,
      body: { scheduleActionType: 'CreateJob', submissionId: 'by-hand-20260105T063000Z' },
    });
    const job = await azure.arm('GET', `${workspace}/jobs/by-hand-20260105T063000Z`);
    expect(job.status).toBe(200);
    expect((await azure.arm('POST', path, { scheduleTime: 'now' })).status).toBe(400);
  });
});
