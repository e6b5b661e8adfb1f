/** A successor is submitted once, and read back whatever the answer was. */
import { describe, expect, it, vi } from 'vitest';
import { UnderstudyError } from '../../src/errors/error.ts';
import { submitSuccessor } from '../../src/jobs/submit.ts';
import type { PlatformJob } from '../../src/run/work/job-platform.ts';
import type { RawJob } from '../../src/workspace/jobs/job.ts';
import { fakeJobs } from '../fakes/job-platform.ts';
import { command } from './scene.ts';

const tags = { 'understudy.lineage': 'root', 'understudy.hop': '1', 'understudy.run': 'run-1' };
const body = { properties: command({ tags }) };
const raw: RawJob = { id: '/jobs/us-1', name: 'us-1', type: '', properties: body.properties };
const held: PlatformJob<RawJob> = { name: 'us-1', status: 'Running', isFinished: false, raw };
const { signal } = new AbortController();
const request = { name: 'us-1', body, signal };
const conflict = new UnderstudyError('AzureError', 'it is there', {
  azure: { status: 409, code: 'Conflict' },
});
const silence = new UnderstudyError('AzureUnavailable', 'no answer');

describe('submitSuccessor', () => {
  it('submits nothing where the successor is there', async () => {
    expect(await submitSuccessor({ ...request, jobs: fakeJobs({}), before: raw })).toEqual({
      already: true,
      differences: [],
    });
  });

  it.each([conflict, silence])('reads back after "$message"', async (answer) => {
    const submit = vi.fn(() => Promise.reject(answer));
    const jobs = fakeJobs({ submit, find: () => Promise.resolve(held) });
    expect(await submitSuccessor({ ...request, jobs, before: undefined })).toMatchObject({ already: false });
    expect(submit).toHaveBeenCalledOnce();
  });

  it.each([conflict, silence])('throws "$message" where there is no job then', async (answer) => {
    const jobs = fakeJobs({ submit: () => Promise.reject(answer), find: () => Promise.resolve(undefined) });
    await expect(submitSuccessor({ ...request, jobs, before: undefined })).rejects.toBe(answer);
  });

  it('is tried again where Azure accepted the job, and does not show it yet', async () => {
    const jobs = fakeJobs({ submit: () => Promise.resolve(), find: () => Promise.resolve(undefined) });
    await expect(submitSuccessor({ ...request, jobs, before: undefined })).rejects.toMatchObject({
      code: 'AzureUnavailable',
    });
  });

  it('refuses a job of another lineage under this name', async () => {
    const other = { ...held, raw: { ...raw, properties: command() } };
    const jobs = fakeJobs({ submit: () => Promise.resolve(), find: () => Promise.resolve(other) });
    await expect(submitSuccessor({ ...request, jobs, before: undefined })).rejects.toThrow(
      /a job "us-1" already that is not the successor of "root"/,
    );
  });
});
