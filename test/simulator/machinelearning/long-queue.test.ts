/**
 * A cluster for which hundreds of jobs wait: they are canceled as quickly as few, and the others move up a while later.
 */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { makeWorkspace, properties, startFixture, type Fixture } from './fixture.ts';

let fixture: Fixture;
let workspace: string;

beforeAll(async () => {
  fixture = await startFixture({ throttling: 'off' });
  workspace = await makeWorkspace(fixture, 'eastus', 'long-queue');
  await fixture.put(`${workspace}/computes/cpu`, {
    location: 'eastus',
    properties: {
      computeType: 'AmlCompute',
      properties: { vmSize: 'Standard_DS3_v2', scaleSettings: { maxNodeCount: 1 } },
    },
  });
  await fixture.put(`${workspace}/environments/e/versions/1`, {
    properties: { image: 'mcr.microsoft.com/azureml/base:1' },
  });
  for (let index = 0; index < 520; index++)
    await fixture.arm('PUT', `${workspace}/jobs/job-${index}`, {
      properties: {
        jobType: 'Command',
        command: 'python train.py',
        environmentId: `${workspace}/environments/e/versions/1`,
        computeId: `${workspace}/computes/cpu`,
        properties: { 'simulator.runSeconds': '3600' },
      },
    });
  fixture.running.clock.advance(5000);
}, 120_000);

afterAll(() => fixture?.close());

const statusOf = async (index: number) =>
  properties((await fixture.arm('GET', `${workspace}/jobs/job-${index}`)).body).status;

it('gives the node to the next that was not canceled, a while after', async () => {
  expect([await statusOf(0), await statusOf(1)]).toEqual(['Running', 'Queued']);
  for (const index of [0, 1, 2]) await fixture.arm('POST', `${workspace}/jobs/job-${index}/cancel`);
  fixture.running.clock.advance(3000);
  expect([await statusOf(0), await statusOf(1), await statusOf(2)]).toEqual(['Canceled', 'Canceled', 'Canceled']);
  expect(await statusOf(3)).toBe('Queued');
  fixture.running.clock.advance(12_000);
  expect([await statusOf(3), await statusOf(4)]).toEqual(['Running', 'Queued']);
}, 60_000);
