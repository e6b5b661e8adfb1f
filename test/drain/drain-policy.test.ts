/** What a switchover does with one job, as a table. */
import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../src/azure/azure.ts';
import { drainingOf, type Draining } from '../../src/drain/drain-policy.ts';
import { toLedgerEntry, successorName, type LedgerCheckpoint } from '../../src/ledger/ledger.ts';
import { sideOf } from '../../src/topology/sides.ts';
import type { RawJob } from '../../src/workspace/jobs/job.ts';
import { command, eastId, topologyWith } from '../jobs/scene.ts';

type Policy = 'checkpoint' | 'wait' | 'cancel';

const given: LedgerCheckpoint = {
  datastore: 'workspaceblobstore',
  path: '',
  lastFile: 'step-1.json',
  files: 1,
  recoveryPoint: 'run-0',
};

function draining(policy: Policy, properties: JsonObject, more: { name?: string; checkpoint?: LedgerCheckpoint } = {}) {
  const topology = topologyWith({ jobs: { drain: { policy } } });
  const { name = 'train', checkpoint } = more;
  const job: RawJob = { id: `${eastId}/jobs/${name}`, name, type: 'jobs', properties: command(properties) };
  const entry = toLedgerEntry({
    job,
    side: sideOf(topology, 'eastus'),
    lastSeenAt: '2026-11-21T10:00:00.000Z',
    spec: 'd',
    checkpoint,
  });
  return drainingOf(job, entry, topology.jobs);
}

const scoring = { command: 'python score.py', outputs: {} };
const sweep = { jobType: 'Sweep', command: null };
const elsewhere = { outputs: { checkpoints: { uri: 'https://elsewhere.example/checkpoints/' } } };

describe('drainingOf', () => {
  it.each<[what: string, JsonObject, Record<Exclude<Policy, 'cancel'>, Draining>]>([
    ['a training that runs', {}, { checkpoint: 'checkpoint', wait: 'end' }],
    ['a training that is queued', { status: 'Queued' }, { checkpoint: 'cancel', wait: 'cancel' }],
    ['a training that is starting', { status: 'Starting' }, { checkpoint: 'cancel', wait: 'cancel' }],
    ['a training in an unknown state', { status: 'Thinking' }, { checkpoint: 'checkpoint', wait: 'end' }],
    ['a training that is finalizing', { status: 'Finalizing' }, { checkpoint: 'checkpoint', wait: 'end' }],
    ['a job without checkpoints', scoring, { checkpoint: 'end', wait: 'end' }],
    ['one that is queued', { ...scoring, status: 'Queued' }, { checkpoint: 'cancel', wait: 'cancel' }],
    ['a sweep', sweep, { checkpoint: 'end', wait: 'end' }],
    ['a training whose output is elsewhere', elsewhere, { checkpoint: 'end', wait: 'end' }],
    [
      'a job that is left alone by its tag',
      { tags: { 'understudy.resume': 'never' } },
      { checkpoint: 'end', wait: 'end' },
    ],
    [
      'one of a person by its tag, queued',
      { status: 'Queued', tags: { 'understudy.resume': 'manual' } },
      { checkpoint: 'end', wait: 'end' },
    ],
    ['one whose tag nobody knows', { tags: { 'understudy.resume': 'perhaps' } }, { checkpoint: 'end', wait: 'end' }],
    ['one that may run twice', { tags: { 'understudy.resume': 'always' } }, { checkpoint: 'checkpoint', wait: 'end' }],
    [
      'one in which a person works',
      { services: { lab: { jobServiceType: 'JupyterLab' } } },
      { checkpoint: 'end', wait: 'end' },
    ],
    ['one that runs as a person', { identity: { identityType: 'UserIdentity' } }, { checkpoint: 'end', wait: 'end' }],
    ['a part of a pipeline', { parentJobName: 'all' }, { checkpoint: 'end', wait: 'end' }],
    ['one that a person has cancelled', { status: 'CancelRequested' }, { checkpoint: 'end', wait: 'end' }],
  ])('%s', (_what, properties, expected) => {
    expect(draining('checkpoint', properties)).toBe(expected.checkpoint);
    expect(draining('wait', properties)).toBe(expected.wait);
    expect(draining('cancel', properties)).toBe('cancel');
  });

  it('a successor goes on from what it was given, or has written since', () => {
    const lineageRoot = 'eastus.fraud-east.train';
    const name = successorName(lineageRoot, 1);
    const properties = {
      tags: { 'understudy.lineage': lineageRoot, 'understudy.hop': '1' },
      inputs: {
        resume_from: { uri: `azureml://datastores/workspaceblobstore/paths/understudy/resume/${name}/run-0/` },
      },
    };
    const checkpoint = { ...given, path: `understudy/resume/${name}/run-0` };
    expect(draining('checkpoint', properties, { name, checkpoint })).toBe('checkpoint');
    expect(draining('wait', { ...properties, status: 'Queued' }, { name, checkpoint })).toBe('cancel');
    // Cancelled in the queue, it would have nothing to go on from.
    expect(draining('checkpoint', { ...properties, status: 'Queued' }, { name })).toBe('end');
  });
});
