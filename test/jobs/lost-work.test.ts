/** What an interrupted job loses, and the GPUs that it held. */
import { describe, expect, it } from 'vitest';
import { gpusOf } from '../../src/workspace/jobs/gpus.ts';
import type { JobRecord } from '../../src/jobs/job-record.ts';
import type { OldJobState } from '../../src/fence/stopped-jobs.ts';
import type { LedgerEntry } from '../../src/ledger/ledger.ts';
import { withLostWork } from '../../src/jobs/job-record.ts';
import { gpuHoursOf, workedUntil, showLostWork } from '../../src/jobs/lost-work.ts';
import { command } from './scene.ts';

const entry = (more: Partial<LedgerEntry> = {}): LedgerEntry => ({
  lineageRoot: 'r',
  hop: 0,
  workspace: { subscriptionId: 's', resourceGroup: 'g', name: 'w' },
  region: 'eastus',
  name: 'train',
  type: 'Command',
  status: 'Running',
  lastSeenAt: '2026-11-21T10:00:00.000Z',
  spec: 'd',
  createdAt: '2026-11-19T10:00:00.000Z',
  gpus: 4,
  ...more,
});
const checkpoint = {
  datastore: 'd',
  path: 'p',
  lastFile: 'f',
  files: 1,
  recoveryPoint: 'r',
  writtenAt: '2026-11-21T09:00:00.000Z',
};
const lostBy = (of: LedgerEntry, record: Partial<JobRecord>, old: OldJobState = { is: 'unseen' }) =>
  withLostWork(
    {
      old: 'train',
      class: 'resubmit',
      outcome: 'submitted',
      reason: '',
      group: '',
      type: '',
      status: '',
      ...record,
    },
    of,
    workedUntil(old, '2026-11-21T10:30:00.000Z'),
  ).lost;
const minutes = (count: number) => count * 60_000;

describe('the work that a job loses', () => {
  it('begins with the checkpoint that its successor reads', () => {
    expect(lostBy(entry({ checkpoint }), { checkpoint: 'azureml://…' })).toEqual({
      since: checkpoint.writtenAt,
      from: 'checkpoint',
      ms: minutes(90),
      gpus: 4,
    });
  });

  it('begins with its submission where nobody reads one', () => {
    const whole = { from: 'submission', ms: minutes(48 * 60 + 30) };
    expect(lostBy(entry(), { class: 'restart' })).toMatchObject(whole);
    // Copied, but its successor takes none.
    const files = { expected: 1, done: 1 };
    expect(lostBy(entry({ checkpoint }), { class: 'restart', files })).toMatchObject(whole);
    // It could not be brought.
    const half = { expected: 2, done: 1 };
    expect(lostBy(entry({ checkpoint }), { class: 'manual', outcome: 'skipped', files: half })).toMatchObject(whole);
    // The checkpoint is the one that it was given itself.
    const { writtenAt: _, ...given } = checkpoint;
    expect(lostBy(entry({ checkpoint: given }), { checkpoint: 'azureml://…' })).toMatchObject(whole);
  });

  it('begins with its checkpoint where that is there for a person', () => {
    const files = { expected: 1, done: 1 };
    expect(lostBy(entry({ checkpoint }), { class: 'manual', outcome: 'skipped', files })?.from).toBe('checkpoint');
  });

  it('of a job that had not begun is no older than the last look at it', () => {
    expect(lostBy(entry({ status: 'Queued' }), { class: 'restart' })).toMatchObject({
      from: 'last look',
      ms: minutes(30),
    });
  });

  it('is none of a job that was not interrupted, and is not measured where a person worked', () => {
    expect(lostBy(entry(), { class: 'skip', outcome: 'skipped' })).toBeUndefined();
    expect(lostBy(entry(), { class: 'manual', outcome: 'skipped', group: 'interactive' })).toBeUndefined();
  });

  it('is unknown, and not none, without a time or without the GPUs', () => {
    const { createdAt: _, gpus: __, ...unknown } = entry();
    const lost = lostBy(unknown, { class: 'restart' });
    expect(lost).toEqual({ from: 'submission' });
    expect(lost && showLostWork(lost)).toBe('an unknown time of work (GPU-hours unknown)');
  });

  it('of a job that a drain has cancelled is measured to that: its checkpoint may be newer than the trigger', () => {
    const drained = { is: 'cancelled', at: '2026-11-21T11:15:00.000Z', drained: true } as const;
    const newer = { ...checkpoint, writtenAt: '2026-11-21T11:00:00.000Z' };
    const record = { checkpoint: 'azureml://…' };
    expect(lostBy(entry({ checkpoint: newer }), record, drained)).toMatchObject({ ms: minutes(15) });
    // By the fence of a failover: its region was gone before.
    const { drained: _, ...fenced } = drained;
    expect(lostBy(entry({ checkpoint }), record, fenced)).toMatchObject({ ms: minutes(90) });
  });

  it('of a job that was interrupted where it goes on is measured to when it was last seen, or is unknown', () => {
    const record = { checkpoint: 'azureml://…' };
    const seen = {
      is: 'interrupted',
      endedAs: 'Failed',
      seenAt: '2026-11-24T08:00:00.000Z',
      lastSeenAt: '2026-11-21T10:00:00.000Z',
    } as const;
    expect(lostBy(entry({ checkpoint }), record, seen)).toMatchObject({ from: 'checkpoint', ms: minutes(60) });
    const { lastSeenAt: _, ...unseen } = seen;
    expect(lostBy(entry({ checkpoint }), record, unseen)?.ms).toBeUndefined();
    // It was still working after it was last seen.
    const newer = { ...checkpoint, writtenAt: '2026-11-21T10:20:00.000Z' };
    expect(lostBy(entry({ checkpoint: newer }), record, seen)?.ms).toBeUndefined();
    expect(lostBy(entry({ status: 'Queued' }), { class: 'restart' }, seen)?.ms).toBeUndefined();
  });

  it('is counted in GPU-hours', () => {
    expect(gpuHoursOf({ ms: minutes(90), gpus: 4 })).toBe(6);
    expect(gpuHoursOf({ ms: minutes(90), gpus: 0 })).toBe(0);
    expect(gpuHoursOf({ ms: minutes(90) })).toBeUndefined();
    expect(showLostWork({ from: 'submission', ms: 1000, gpus: 1 })).toBe('up to 1.0s of work (under 0.1 GPU-hours)');
  });
});

describe('the GPUs of a job', () => {
  const computes = [
    { name: 'gpu-east', type: 'AmlCompute', vmSize: 'STANDARD_NC24ADS_A100_V4' },
    { name: 'cpu', type: 'AmlCompute', vmSize: 'Standard_DS3_v2' },
    { name: 'kubernetes', type: 'Kubernetes' },
  ];
  const sizes = { standard_nc24ads_a100_v4: 1, standard_ds3_v2: 0, standard_nd96asr_v4: 8 };
  const of = (properties: Record<string, never> | object) =>
    gpusOf({ id: 'i', name: 'n', type: 't', properties: command(properties as never) }, computes, sizes);
  const on = (name: string) => ({ computeId: `/subscriptions/s/computes/${name}` });

  it.each([
    ['one machine of its compute', {}, 1],
    ['several machines', { resources: { instanceCount: 4 } }, 4],
    ['machines without GPUs', { ...on('CPU'), resources: { instanceCount: 4 } }, 0],
    [
      'machines that Azure picks',
      { computeId: null, resources: { instanceType: 'Standard_ND96asr_v4', instanceCount: 2 } },
      16,
    ],
    [
      'trials side by side',
      { jobType: 'Sweep', limits: { maxConcurrentTrials: 3 }, trial: { resources: { instanceCount: 2 } } },
      6,
    ],
    [
      'steps on machines without GPUs',
      {
        jobType: 'Pipeline',
        computeId: null,
        jobs: { a: on('cpu') },
        settings: { default_compute: 'azureml:cpu' },
      },
      0,
    ],
    ['as many trials as there is room for', { jobType: 'Sweep' }, undefined],
    [
      'steps of which some have GPUs',
      { jobType: 'Pipeline', computeId: null, jobs: { a: on('cpu'), b: on('gpu-east') } },
      undefined,
    ],
    ['a compute that is not Azure’s', on('kubernetes'), undefined],
    ['a compute that is gone', on('gone'), undefined],
    ['nothing that it names', { computeId: null }, undefined],
  ])('are those of %s', (_what, properties, gpus) => {
    expect(of(properties)).toBe(gpus);
  });

  it('are unknown where the sizes could not be read', () => {
    expect(gpusOf({ id: 'i', name: 'n', type: 't', properties: command() }, computes, undefined)).toBeUndefined();
  });
});
