/** What a plan says that a failover would lose is what the recovery point knows already. */
import { expect, it } from 'vitest';
import { foreseenLosses } from '../../src/operations/plans/foreseen-losses.ts';
import { openRecoveryPoint } from '../../src/recovery-point/recovery-point.ts';
import type { RawJob } from '../../src/workspace/jobs/job.ts';
import { fakeControlStore } from '../fakes/control-store.ts';
import { entryNamed, seal } from '../recovery-point/sealed.ts';
import { topologyOf } from '../topology/minimal.ts';

const now = new Date('2026-11-21T10:05:00.000Z');

function job(name: string, properties: RawJob['properties']): RawJob {
  return {
    id: `/jobs/${name}`,
    name,
    type: 'jobs',
    properties: { jobType: 'Command', status: 'Running', ...properties },
  };
}

it('names what is left behind, computes of persons, and jobs by what becomes of them', async () => {
  const store = fakeControlStore();
  const services = { lab: { jobServiceType: 'JupyterLab' } };
  const sealed = await seal(store, '2026-11-21T10:00:00.000Z', {
    jobs: [entryNamed('train'), entryNamed('explore')],
    clusters: ['notebook-ana'],
    raw: [job('train', {}), job('explore', { services })],
    change: (content) => ({
      ...content,
      leftBehind: [{ kind: 'file shares', reason: 'only blob containers are copied', count: 2, examples: ['a', 'b'] }],
      summary: { ...content.summary, computes: [{ name: 'notebook-ana', type: 'ComputeInstance' }] },
    }),
  });
  const { losses, warnings } = await foreseenLosses(store, await openRecoveryPoint(store, sealed.id), {
    topology: topologyOf(),
    now,
    drains: false,
  });
  expect(warnings).toEqual([]);
  expect(losses).toEqual([
    '2 file shares left behind: only blob containers are copied (a, b)',
    expect.stringMatching(/^compute notebook-ana is not made: a compute instance/),
    expect.stringMatching(/^1 of 2 unfinished jobs would start again from the beginning \(.*\): job "train"/),
    expect.stringMatching(/^1 of 2 unfinished jobs would be left for people \(interactive\): job "explore"/),
  ]);
});

it('a switchover waits for jobs that take no checkpoint: they are not lost', async () => {
  const store = fakeControlStore();
  const sealed = await seal(store, '2026-11-21T10:00:00.000Z', {
    jobs: [entryNamed('train'), { ...entryNamed('queued'), status: 'Queued' }],
    raw: [job('train', {}), job('queued', { status: 'Queued' })],
  });
  const point = await openRecoveryPoint(store, sealed.id);
  const of = (jobs: string) =>
    foreseenLosses(store, point, { topology: topologyOf(`jobs: { drain: ${jobs} }`), now, drains: true });
  expect(await of('{ policy: checkpoint, deadline: 2h }')).toEqual({
    losses: [expect.stringMatching(/^1 of 2 unfinished jobs would start again from the beginning .*"queued"$/)],
    warnings: [
      '1 of 2 unfinished jobs would be waited for until they end, for at most 2h; then a person decides (jobs.drain): job "train"',
    ],
  });
  const { losses, warnings } = await of('{ policy: cancel }');
  expect([losses.length, warnings]).toEqual([1, []]);
  expect(losses[0]).toMatch(/^2 of 2 unfinished jobs would start again/);
});
