import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { JsonObject } from '../../../simulator/contract/index.ts';
import { makeWorkspace, properties, startFixture, type Fixture } from './fixture.ts';

let azure: Fixture;
let workspace: string;

beforeAll(async () => {
  azure = await startFixture({ pace: 0, speed: 0 });
  workspace = await makeWorkspace(azure, 'eastus', 'scheduled');
  await azure.put(`${workspace}/environments/plain/versions/1`, { properties: { image: 'ubuntu' } });
}, 60_000);
afterAll(() => azure?.close());

/** A schedule that fires at every full hour of the cloud's clock. */
function hourly(name: string, more: JsonObject = {}): Promise<JsonObject> {
  return azure.put(`${workspace}/schedules/${name}`, {
    properties: {
      trigger: { triggerType: 'Cron', expression: '0 * * * *', timeZone: 'UTC' },
      action: {
        actionType: 'CreateJob',
        jobDefinition: {
          jobType: 'Command',
          command: 'true',
          displayName: 'Something else',
          environmentId: `${workspace}/environments/plain/versions/1`,
        },
      },
      ...more,
    },
  });
}

async function jobsOf(schedule: string): Promise<unknown[]> {
  return (await azure.list(`${workspace}/jobs?scheduleId=${schedule}`)).map((job) => job.name).toReversed();
}

const hours = (count: number): void => azure.running.clock.advance(count * 3_600_000);

/** The names of the jobs of the last full hours, the oldest first. */
function names(schedule: string, count: number): string[] {
  const last = Math.floor(azure.running.clock.now() / 3_600_000);
  return Array.from({ length: count }, (_, i) => {
    const time = new Date((last - count + 1 + i) * 3_600_000).toISOString();
    return `${schedule}-${time.slice(0, 13).replaceAll('-', '')}0000Z`;
  });
}

describe('a schedule', () => {
  it('creates a job each time, named by the time, which lives as others do', async () => {
    await hourly('hourly');
    expect(await jobsOf('hourly')).toEqual([]);
    hours(3);
    await vi.waitFor(async () => expect(await jobsOf('hourly')).toEqual(names('hourly', 3)));
    const [first = ''] = names('hourly', 3);
    const job = properties((await azure.arm('GET', `${workspace}/jobs/${first}`)).body);
    expect(job).toMatchObject({ displayName: first, command: 'true', status: 'Completed' });
    expect(await azure.list(`${workspace}/jobs?scheduled=false`)).toEqual([]);
  });

  it('creates none when it is disabled or deleted, and again when it is enabled', async () => {
    await hourly('fickle', { isEnabled: false });
    hours(2);
    await hourly('fickle');
    hours(1);
    await vi.waitFor(async () => expect(await jobsOf('fickle')).toEqual(names('fickle', 1)));
    await azure.settle(await azure.arm('DELETE', `${workspace}/schedules/fickle`));
    const before = await jobsOf('fickle');
    hours(2);
    expect((await jobsOf('hourly')).length).toBeGreaterThan(3);
    expect(await jobsOf('fickle')).toEqual(before);
  });

  it('fires in a dark region, unseen, and after a restart', async () => {
    await hourly('steady');
    await azure.running.faults.setOutage('eastus', { mode: 'dark' });
    hours(1);
    await azure.running.faults.setOutage('eastus', { mode: 'none' });
    await vi.waitFor(async () => expect(await jobsOf('steady')).toEqual(names('steady', 1)));
    await azure.restart();
    hours(1);
    await vi.waitFor(async () => expect(await jobsOf('steady')).toEqual(names('steady', 2)));
  });
});
