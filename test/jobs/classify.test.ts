import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../src/azure/azure.ts';
import { checkpointPlaces, checkpointFolder, wentOnFrom } from '../../src/workspace/jobs/checkpoint.ts';
import { classify, type Facts } from '../../src/jobs/classify.ts';
import type { RawJob } from '../../src/workspace/jobs/job.ts';
import { toLedgerEntry } from '../../src/ledger/ledger.ts';
import type { OldJobState } from '../../src/fence/stopped-jobs.ts';
import { command, east, eastId, topologyWith } from './scene.ts';

const policy = topologyWith().jobs;
const checkpoint = { datastore: 'd', path: 'p', lastFile: 'step-9.json', files: 9, recoveryPoint: 'r' };

function job(properties: JsonObject): RawJob {
  const systemData = { createdAt: '2026-11-21T08:00:00.000Z', createdBy: 'bo' };
  return { id: `${eastId}/jobs/j`, name: 'j', type: '', properties, systemData };
}

function facts(properties: JsonObject, more: Partial<Facts> & { copied?: boolean } = {}): Facts {
  const spec = job(properties);
  const entry = toLedgerEntry({
    job: spec,
    side: { region: 'eastus', workspace: east },
    lastSeenAt: '2026-11-21T10:00:00.000Z',
    spec: 'd',
    ...(more.copied ? { checkpoint } : {}),
  });
  return { entry, spec, policy, goneSince: '2026-11-21T10:05:00.000Z', old: { is: 'unseen' }, ...more };
}

describe('classify', () => {
  it.each<[string, JsonObject, Partial<Facts> & { copied?: boolean }, string, RegExp]>([
    ['a training with a checkpoint', command(), { copied: true }, 'resubmit', /step-9\.json/],
    ['a training without one', command(), {}, 'restart', /no checkpoint of it was copied/],
    [
      'one whose command takes none',
      command({ command: 'python x.py' }),
      { copied: true },
      'restart',
      /takes no checkpoint/,
    ],
    [
      'one that declares the input and reads it by itself',
      command({
        command: 'python x.py',
        inputs: { resume_from: { jobInputType: 'uri_folder', uri: 'azureml:x:1' } },
      }),
      { copied: true },
      'resubmit',
      /step-9/,
    ],
    [
      'an input that is merely called like it',
      command({ command: 'x ${{inputs.resume_from_scratch}}' }),
      { copied: true },
      'restart',
      /takes no/,
    ],
    ['a sweep', command({ jobType: 'Sweep' }), { copied: true }, 'restart', /takes no checkpoint/],
    ['an AutoML job', command({ jobType: 'AutoML' }), { copied: true }, 'restart', /takes no checkpoint/],
    ['a queued job', command({ status: 'Queued' }), {}, 'restart', /no checkpoint/],
    ['a paused job', command({ status: 'Paused' }), { copied: true }, 'resubmit', /step-9/],
    ['a job in a status of tomorrow', command({ status: 'Hibernating' }), {}, 'restart', /./],
    ['a job being finalized', command({ status: 'Finalizing' }), { copied: true }, 'may-have-completed', /finalizing/],
    [
      'a tag in other letters, with blanks',
      command({ tags: { 'Understudy.Resume': ' Never ' } }),
      {},
      'skip',
      /excluded|says "never"/,
    ],
    ['a tag MANUAL', command({ tags: { 'understudy.resume': 'MANUAL' } }), { copied: true }, 'manual', /says "manual"/],
    [
      'a job being finalized whose tag says Always',
      command({ status: 'Finalizing', tags: { 'understudy.resume': 'Always\n' } }),
      { copied: true },
      'resubmit',
      /step-9/,
    ],
    [
      'a tag that means nothing known',
      command({ tags: { 'understudy.resume': 'no' } }),
      { copied: true },
      'manual',
      /^its tag understudy\.resume says "no", expected "never", "manual" or "always"$/,
    ],
    [
      'a tag without a value',
      command({ tags: { 'understudy.resume': '' } }),
      { copied: true },
      'manual',
      /says "", expected/,
    ],
    [
      'a job being finalized that may run twice',
      command({ status: 'Finalizing', tags: { 'understudy.resume': 'always' } }),
      { copied: true },
      'resubmit',
      /step-9/,
    ],
    [
      'a job past its time limit',
      command({ limits: { jobLimitsType: 'Command', timeout: 'PT2H4M' } }),
      { copied: true },
      'may-have-completed',
      /time limit/,
    ],
    [
      'a job within its time limit',
      command({ limits: { jobLimitsType: 'Command', timeout: 'PT2H6M' } }),
      { copied: true },
      'resubmit',
      /./,
    ],
    ['a queued job, however old', command({ status: 'Queued', limits: { timeout: 'PT1S' } }), {}, 'restart', /./],
    ['a job being cancelled', command({ status: 'CancelRequested' }), {}, 'skip', /cancellation/],
    ['a finished job', command({ status: 'Failed' }), {}, 'skip', /finished \(Failed\)/],
    [
      'a step of a pipeline',
      command({ properties: { 'azureml.pipelinerunid': 'pipe' } }),
      {},
      'skip',
      /part of "pipe"/,
    ],
    ['a job that is its own root', command({ properties: { 'azureml.rootrunid': 'j' } }), {}, 'restart', /./],
    ['an excluded job', command({ tags: { 'understudy.resume': 'never' } }), {}, 'skip', /never/],
    [
      'one that its owner wants to see first',
      command({ tags: { 'understudy.resume': 'manual' } }),
      {},
      'manual',
      /manual/,
    ],
    [
      'an interactive job',
      command({ services: { a: { jobServiceType: 'vs_code' } } }),
      {},
      'manual',
      /a person works in it \(vs_code\)/,
    ],
    [
      'a job that only shows itself',
      command({ services: { a: { jobServiceType: 'TensorBoard' }, b: { jobServiceType: 'Studio' } } }),
      {},
      'restart',
      /./,
    ],
    [
      'a job that runs as its submitter',
      command({ identity: { identityType: 'UserIdentity' } }),
      {},
      'manual',
      /person who submitted/,
    ],
    ['a job of an unknown kind', command({ jobType: 'Labeling' }), {}, 'manual', /Labeling/],
  ])('%s', (_what, properties, more, expected, reason) => {
    const found = classify(facts(properties, more));
    expect(found.class).toBe(expected);
    expect(found.reason).toMatch(reason);
    expect(found.group).not.toBe('');
  });

  it('skips interactive work where the topology says so', () => {
    const spec = command({ services: { a: { jobServiceType: 'SSH' } } });
    expect(classify(facts(spec, { policy: { ...policy, interactive: 'skip' } })).class).toBe('skip');
  });
});

describe('what the fence saw of a job', () => {
  const at = '2026-11-21T10:12:00.000Z';
  const unseen: OldJobState = { is: 'unseen' };
  const asked: OldJobState = { is: 'asked' };
  const cancelled: OldJobState = { is: 'cancelled', at };
  const interrupted: OldJobState = { is: 'interrupted', endedAs: 'Failed', seenAt: at };
  const ended = (status: string): OldJobState => ({ is: 'ended', status, seenAt: at });
  const limit = { limits: { jobLimitsType: 'Command', timeout: 'PT1H' } };
  const always = { tags: { 'understudy.resume': 'always' } };

  it.each<[string, JsonObject, OldJobState, string, RegExp]>([
    ['Running', {}, ended('Completed'), 'skip', /had completed .* at 2026-11-21T10:12/],
    ['Running', {}, ended('Canceled'), 'skip', /was cancelled in the old workspace, not by a fence/],
    ['Running', {}, ended('CancelRequested'), 'skip', /was cancelled in the old workspace/],
    ['Running', {}, ended('Failed'), 'manual', /it was Running at 2026-11-21T10:00:00.000Z and had ended Failed at/],
    ['Running', {}, ended('gone'), 'manual', /had no such job .* whether it completed cannot be told/],
    ['Running', {}, cancelled, 'resubmit', /step-9/],
    ['Running', {}, asked, 'resubmit', /step-9/],
    ['Running', {}, unseen, 'resubmit', /step-9/],
    ['Queued', {}, ended('Failed'), 'manual', /it was Queued at/],
    ['Queued', {}, ended('Completed'), 'skip', /had completed/],
    ['Finalizing', {}, unseen, 'may-have-completed', /finalizing/],
    ['Finalizing', {}, asked, 'may-have-completed', /finalizing/],
    ['Finalizing', {}, cancelled, 'resubmit', /step-9/],
    ['Finalizing', {}, interrupted, 'resubmit', /step-9/],
    ['Running', limit, interrupted, 'resubmit', /step-9/],
    ['Running', { tags: { 'understudy.resume': 'never' } }, interrupted, 'skip', /never/],
    ['Finalizing', {}, ended('Completed'), 'skip', /had completed/],
    ['Finalizing', {}, ended('Failed'), 'manual', /Failed/],
    ['Running', limit, unseen, 'may-have-completed', /time limit/],
    ['Running', limit, cancelled, 'resubmit', /step-9/],
    ['CancelRequested', {}, unseen, 'skip', /cancellation had been asked for/],
    ['CancelRequested', {}, ended('Failed'), 'skip', /cancellation had been asked for/],
    ['CancelRequested', {}, ended('Canceled'), 'skip', /cancellation had been asked for/],
    // "It does no harm to run it twice" is no wish to run again what is done, or what a person has ended.
    ['Running', always, ended('Failed'), 'resubmit', /step-9/],
    ['Running', always, ended('gone'), 'resubmit', /step-9/],
    ['Running', always, ended('Completed'), 'skip', /had completed/],
    ['Running', always, ended('Canceled'), 'skip', /was cancelled/],
    ['Running', { tags: { 'understudy.resume': 'never' } }, ended('Failed'), 'skip', /never/],
    ['Running', { properties: { 'azureml.pipelinerunid': 'pipe' } }, ended('Failed'), 'skip', /part of "pipe"/],
    ['Running', { services: { a: { jobServiceType: 'SSH' } } }, ended('Completed'), 'skip', /had completed/],
    ['Running', { services: { a: { jobServiceType: 'SSH' } } }, ended('Failed'), 'manual', /a person works in it/],
  ])('%s %j, %j: %s', (status, properties, old, expected, reason) => {
    const found = classify(facts(command({ status, ...properties }), { copied: true, old }));
    expect(found.class).toBe(expected);
    expect(found.reason).toMatch(reason);
  });

  it.each(['Canceled', 'CancelRequested'])(
    'nothing, where a run that was cancelled itself had left it %s: its owner may have submitted it again',
    (status) => {
      const interrupted = facts(command({ status }), { copied: true, old: cancelled });
      interrupted.entry.cancelledBy = 'run-0';
      expect(classify(interrupted)).toMatchObject({
        class: 'manual',
        reason: expect.stringContaining('the fence of run run-0, which was cancelled itself, cancelled it'),
      });
      const harmless = facts(command({ status, ...always }), { copied: true, old: cancelled });
      harmless.entry.cancelledBy = 'run-0';
      expect(classify(harmless).class).toBe('resubmit');
    },
  );
});

describe('a successor that has written nothing', () => {
  const resumed = command({
    inputs: {
      resume_from: {
        jobInputType: 'uri_folder',
        uri: `azureml://datastores/lake/paths/${checkpointFolder('j', 'rp-1')}/`,
      },
    },
  });
  it('goes on from what it was given', () => {
    expect(classify(facts(resumed, { copied: true })).class).toBe('resubmit');
  });
  it('is for a person where that is gone: from the beginning would be a loss', () => {
    const { class: jobClass, reason } = classify(facts(resumed));
    expect(jobClass).toBe('manual');
    expect(reason).toContain('understudy/resume/j/rp-1, which was not copied');
  });
});

describe('where checkpoints are', () => {
  it.each<[string, JsonObject, unknown]>([
    [
      "Azure's own place",
      { jobOutputType: 'uri_folder', uri: null },
      { datastore: 'workspaceblobstore', path: 'azureml/j/checkpoints/' },
    ],
    [
      'a place in a datastore',
      { jobOutputType: 'uri_folder', uri: 'azureml://datastores/lake/paths/${{name}}/ckpt/' },
      { datastore: 'lake', path: 'j/ckpt/' },
    ],
    ['a place in none', { jobOutputType: 'uri_folder', uri: 'https://example.com/x' }, undefined],
  ])('%s', (_what, output, place) => {
    expect(checkpointPlaces(job(command({ outputs: { checkpoints: output } })), policy.checkpoint)).toEqual(
      place === undefined ? [] : [place],
    );
  });
  it('nowhere, without the output', () => {
    expect(checkpointPlaces(job(command({ outputs: {} })), policy.checkpoint)).toEqual([]);
  });

  const startingFrom = (path: string) =>
    job(
      command({
        inputs: {
          resume_from: { jobInputType: 'uri_folder', uri: `azureml://datastores/lake/paths/${path}` },
        },
      }),
    );
  it('of a successor: what it wrote itself, else what it was given to go on from', () => {
    const folder = checkpointFolder('j', 'rp-1');
    expect(checkpointPlaces(startingFrom(`${folder}/`), policy.checkpoint)).toEqual([
      { datastore: 'workspaceblobstore', path: 'azureml/j/checkpoints/' },
      { datastore: 'lake', path: folder },
    ]);
  });
  it.each([
    ["its owner's", 'start/weights/'],
    ['that of another job, whose input was cloned', `${checkpointFolder('k', 'rp-1')}/`],
  ])('an input is %s: that is no checkpoint of the job', (_what, path) => {
    expect(wentOnFrom(startingFrom(path), policy.checkpoint)).toBeUndefined();
  });
});
