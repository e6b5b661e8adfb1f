import { describe, expect, it } from 'vitest';
import { UnderstudyError } from '../../src/errors/error.ts';
import {
  ledgerName,
  markSubmitted,
  planSuccessor,
  successorName,
  type LedgerDocument,
} from '../../src/ledger/ledger.ts';
import type { JobRecord } from '../../src/jobs/job-record.ts';
import type { StepContext } from '../../src/run/work/step-context.ts';
import { command, eastId, resumeUri, scene, topologyWith, westId, type Scene } from './scene.ts';

const checkpoint = {
  datastore: 'workspaceblobstore',
  path: 'azureml/train/checkpoints',
  lastFile: 'step-3.json',
  files: 3,
  recoveryPoint: '2026-11-21T10-00-00.000Z-e1',
};

const rootOf = (name: string) => `eastus.fraud-east.${name}`;

async function records({ store }: Scene): Promise<JobRecord[]> {
  const found: JobRecord[] = [];
  for await (const name of store.list('runs/run-1/evidence/jobs-')) {
    found.push(...((await store.read<JobRecord[]>(name))?.value ?? []));
  }
  return found;
}

/** The scene of most tests: one job to resume, one to restart, one for a person, one to skip. */
async function four(): Promise<Scene> {
  const made = scene();
  await made.addJob('train', command({ tags: { priority: 'low' } }), checkpoint);
  await made.addJob('fresh', command({ tags: { priority: 'high' }, status: 'Queued' }));
  await made.addJob('lab', command({ services: { s: { jobServiceType: 'JupyterLab' } } }));
  await made.addJob('ending', command({ status: 'CancelRequested' }));
  return made;
}

describe('resubmitJobs', () => {
  it('resumes, restarts, leaves for a person and skips, and every job is accounted for', async () => {
    const made = await four();
    const result = await made.resubmit();
    expect(result.state).toBe('completed');
    expect(result.counts).toEqual([
      {
        kind: 'jobs',
        expected: 4,
        done: 2,
        skipped: [
          { reason: 'being cancelled', count: 1 },
          { reason: 'left for a person: interactive', count: 1 },
        ],
        failed: [],
      },
      { kind: 'checkpoint files', expected: 3, done: 3, skipped: [], failed: [] },
    ]);
    expect(result.lost).toEqual(['job "lab" of ana is left for a person: a person works in it (JupyterLab)']);
    const name = successorName(rootOf('train'), 1);
    expect(
      made
        .successors()
        .map((job) => job.name)
        .toSorted(),
    ).toEqual([name, successorName(rootOf('fresh'), 1)].toSorted());
    const train = made.successors().find((job) => job.name === name);
    expect(train?.properties).toMatchObject({
      command: 'python train.py --resume ${{inputs.resume_from}}',
      codeId: `${westId}/codes/c/versions/1`,
      environmentId: `${westId}/environments/e/versions/1`,
      computeId: `${westId}/computes/gpu-west`,
      inputs: {
        data: { jobInputType: 'uri_folder', mode: 'Download', uri: `${westId}/data/d/versions/2` },
        resume_from: {
          jobInputType: 'uri_folder',
          uri: resumeUri(name, checkpoint),
        },
      },
      properties: { kept: 'yes' },
      tags: {
        priority: 'low',
        'understudy.origin': `${eastId}/jobs/train`,
        'understudy.lineage': rootOf('train'),
        'understudy.hop': '1',
        'understudy.run': 'run-1',
      },
    });
    const all = await records(made);
    expect(all.find(({ old }) => old === 'train')).toMatchObject({
      new: name,
      class: 'resubmit',
      outcome: 'submitted',
      priority: 'low',
      checkpoint: resumeUri(name, checkpoint),
      files: { expected: 3, done: 3 },
    });
    expect(all.map(({ old }) => old).toSorted()).toEqual(['ending', 'fresh', 'lab', 'train']);
  });

  it('asks nothing of the old region', async () => {
    const made = await four();
    made.arm.requests.length = 0;
    await made.resubmit();
    expect(made.arm.requests.filter((request) => request.includes(eastId))).toEqual([]);
  });

  it('goes by priority, and by age among equals', async () => {
    const made = scene();
    for (const [name, priority] of [
      ['c', 'low'],
      ['a', 'high'],
      ['x', 'unheard-of'],
      ['b', 'normal'],
      ['d', undefined],
    ] as const) {
      await made.addJob(name, command({ tags: priority === undefined ? {} : { priority } }));
    }
    await made.resubmit();
    const puts = made.arm.requests
      .filter((request) => request.startsWith('PUT'))
      .map((request) => request.split('/').at(-1));
    const names = ['a', 'b', 'c'].map((name) => successorName(rootOf(name), 1));
    expect(puts.slice(0, 3)).toEqual(names);
    expect(puts).toHaveLength(5);
  });

  it('run twice, it submits nothing twice and says the same', async () => {
    const made = await four();
    const action = made.resubmit;
    const first = await action(made.context());
    made.arm.requests.length = 0;
    const second = await action(made.context());
    expect(made.arm.requests.filter((request) => request.startsWith('PUT'))).toEqual([]);
    expect(second.counts).toEqual(first.counts);
    expect(second.evidence).toEqual(first.evidence);
  });

  it('another run to the same region finds the successors of the first', async () => {
    const made = await four();
    const action = made.resubmit;
    await action(made.context());
    const context = made.context();
    const second = await action({ ...context, run: { ...context.run, runId: 'run-2' } });
    expect(second.counts?.[0]?.done).toBe(2);
    expect(made.successors()).toHaveLength(2);
  });

  it.each(['lost', 'silent'] as const)('an answer that is %s leads to one successor', async (kind) => {
    const made = scene();
    await made.addJob('train', command(), checkpoint);
    made.arm.faults.push({ method: 'PUT', path: /jobs\/us-/, kind, times: 1 });
    const action = made.resubmit;
    if (kind === 'silent') await expect(action(made.context())).rejects.toThrow(/no answer/);
    const result = await action(made.context());
    expect(result.counts?.[0]).toMatchObject({ expected: 1, done: 1 });
    expect(made.successors()).toHaveLength(1);
  });

  it('reads back after a conflict', async () => {
    const made = scene();
    const entry = await made.addJob('train', command(), checkpoint);
    const { arm } = made;
    const find = arm.find.bind(arm);
    const name = successorName(entry.lineageRoot, 1);
    // Somebody (an earlier worker's late request) makes the job between our look and our PUT.
    let looked = false;
    const action = made.resubmit;
    arm.find = async (path, version, options) => {
      if (!path.endsWith(name) || looked) return find(path, version, options);
      looked = true;
      const tags = {
        'understudy.lineage': entry.lineageRoot,
        'understudy.hop': '1',
        'understudy.run': 'run-1',
      };
      arm.add(path, { properties: { ...command(), tags, status: 'Running' } });
      return undefined;
    };
    const result = await action(made.context());
    expect(result.counts?.[0]).toMatchObject({ done: 1, failed: [] });
    expect(result.lost?.[0]).toMatch(/which the standby stored differently from what was sent/);
  });

  it("does not take somebody else's job for its own", async () => {
    const made = scene();
    const entry = await made.addJob('train', command(), checkpoint);
    made.arm.add(`${westId}/jobs/${successorName(entry.lineageRoot, 1)}`, { properties: command() });
    const result = await made.resubmit();
    expect(result.counts?.[0]).toMatchObject({ done: 0, failed: [{ reason: 'AzureError', count: 1 }] });
    expect(result.lost?.[0]).toMatch(/could not be resubmitted: .*not the successor/);
  });

  it("one job that Azure refuses fails alone, with Azure's code", async () => {
    const made = scene();
    await made.addJob('bad', command());
    await made.addJob('good', command());
    const bad = successorName(rootOf('bad'), 1);
    made.arm.faults.push({
      method: 'PUT',
      path: new RegExp(bad),
      kind: { status: 400, code: 'UserError' },
      times: 9,
    });
    const result = await made.resubmit();
    expect(result.counts?.[0]).toMatchObject({
      expected: 2,
      done: 1,
      failed: [{ reason: 'UserError', count: 1 }],
    });
    expect(result.lost?.some((line) => line.includes('"bad"'))).toBe(true);
  });

  it('a job whose sealed spec was altered fails alone', async () => {
    const made = scene();
    const entry = await made.addJob('train', command());
    made.store.documents.set(`job-specs/${entry.spec}.json`, { text: '{}', etag: 'x' });
    const result = await made.resubmit();
    expect(result.counts?.[0]).toMatchObject({
      done: 0,
      failed: [{ reason: 'ControlStoreError', count: 1 }],
    });
  });

  it('leaves a job for a person rather than run it on what is not there', async () => {
    const made = scene();
    await made.addJob('train', command({ computeId: `${eastId}/computes/huge` }), checkpoint);
    const result = await made.resubmit();
    expect(result.counts?.[0]?.skipped).toEqual([
      { reason: 'left for a person: names what the standby lacks', count: 1 },
    ]);
    expect(result.lost?.[0]).toContain('properties.computeId: the standby has no compute "huge"');
    expect(made.successors()).toEqual([]);
    expect(await made.store.read(ledgerName(rootOf('train')))).toBeUndefined();
  });

  it('does not submit once the lease is lost', async () => {
    const made = scene();
    await made.addJob('train', command());
    const context = made.context({
      checkpoint: () => Promise.reject(new UnderstudyError('FencedError', 'the run lease is held by "other"')),
    });
    await expect(made.resubmit(context)).rejects.toThrow(/lease/);
    expect(made.successors()).toEqual([]);
  });

  it('says that a started job begins again', async () => {
    const made = scene();
    await made.addJob('train', command());
    const result = await made.resubmit();
    expect(result.lost).toEqual([
      'job "train" of ana starts again from the beginning: no checkpoint of it was copied (output "checkpoints"); lost: up to 2h 10m of work (GPU-hours unknown)',
    ]);
  });

  it('says what a job lost that went on from a checkpoint, where that is too much or a newer one was not whole', async () => {
    const made = scene(topologyWith({ objectives: { training: { rpo: '1h' } } }));
    const at = (time: string) => ({ ...checkpoint, writtenAt: `2026-11-21T${time}:00.000Z` });
    const old = await made.addJob('old', command(), at('09:00'));
    const half = await made.addJob('half', command(), at('09:50'));
    await made.addJob('fine', command(), at('09:50'));
    Object.assign(old, { gpus: 8 });
    Object.assign(half, { gpus: 0, passedOver: { name: 'checkpoint-600', why: 'it had just been written' } });
    const result = await made.resubmit();
    const as = (name: string) => successorName(rootOf(name), 1);
    expect(result.lost?.toSorted()).toEqual([
      `job "half" of ana goes on as "${as('half')}" from its checkpoint of 2026-11-21T09:50:00.000Z ("checkpoint-600" was not whole: it had just been written); lost: 20m 00s of work (no GPU-hours)`,
      `job "old" of ana goes on as "${as('old')}" from its checkpoint of 2026-11-21T09:00:00.000Z; lost: 1h 10m of work (9.3 GPU-hours)`,
    ]);
    const all = await records(made);
    expect(all.find(({ old: name }) => name === 'old')?.lost).toEqual({
      since: '2026-11-21T09:00:00.000Z',
      from: 'checkpoint',
      ms: 70 * 60_000,
      gpus: 8,
    });
  });
});

describe('killed anywhere and run again', () => {
  /** A context whose n-th act on store or ARM ends in a crash, before or after it took effect. */
  function crashing(made: Scene, at: number, after: boolean): StepContext {
    let acts = 0;
    const guard = <T extends object>(target: T, methods: (keyof T)[]): T =>
      new Proxy(target, {
        get(of, key) {
          const value = Reflect.get(of, key) as unknown;
          if (typeof value !== 'function' || !methods.includes(key as keyof T)) return value;
          return async (...args: unknown[]) => {
            const crash = ++acts === at;
            if (crash && !after) throw new Error('killed');
            const result: unknown = await (value as (...all: unknown[]) => Promise<unknown>).apply(of, args);
            if (crash) throw new Error('killed');
            return result;
          };
        },
      });
    const context = made.context();
    return {
      ...context,
      store: guard(context.store, ['swap', 'write', 'read']),
      azure: { ...context.azure, arm: guard(context.azure.arm, ['put', 'find']) },
    };
  }

  it('ends the same, with one successor a job', async () => {
    const calm = await four();
    const expected = await calm.resubmit();
    let crashes = 0;
    for (let at = 1; at < 80; at++) {
      for (const after of [false, true]) {
        const made = await four();
        const action = made.resubmit;
        const crashed = await action(crashing(made, at, after)).then(
          () => false,
          (error: unknown) => (error as Error).message === 'killed',
        );
        if (crashed) crashes++;
        const cursor = made.progress.findLast((each) => each.cursor !== undefined)?.cursor;
        const result = await action(made.context({ cursor }));
        expect(result, `killed at ${at}, ${after ? 'after' : 'before'}`).toEqual(expected);
        expect(made.successors()).toHaveLength(2);
        const document = await made.store.read<LedgerDocument>(ledgerName(rootOf('train')));
        expect(document?.value.successors).toMatchObject([{ hop: 1, state: 'submitted', predecessor: 'train' }]);
      }
    }
    expect(crashes).toBeGreaterThan(20);
  });

  it('two at once make one successor', async () => {
    const made = await four();
    const action = made.resubmit;
    await Promise.all([action(made.context()), action(made.context())]);
    expect(made.successors()).toHaveLength(2);
    const document = await made.store.read<LedgerDocument>(ledgerName(rootOf('train')));
    expect(document?.value.successors).toHaveLength(1);
  });
});

describe('the copy of the checkpoint', () => {
  it('is there before the successor is, and a submitted one gets no other', async () => {
    const made = scene();
    await made.addJob('train', command(), checkpoint);
    const name = successorName(rootOf('train'), 1);
    let submittedBefore: number | undefined;
    const action = (context: StepContext) =>
      made.resubmit(context, (request) => {
        submittedBefore = made.successors().length;
        return made.bring(request);
      });
    const first = await action(made.context());
    expect(submittedBefore).toBe(0);
    // Another run, from a later recovery point: what runs has begun from the first.
    const entry = made.ledger[0];
    if (entry) entry.checkpoint = { ...checkpoint, recoveryPoint: '2026-11-21T11-00-00.000Z-e1', files: 5 };
    const context = made.context();
    const second = await action({ ...context, run: { ...context.run, runId: 'run-2' } });
    expect(made.brought).toEqual([name]);
    expect(first.counts?.[1]).toMatchObject({ expected: 3, done: 3 });
    expect(second.counts?.[0]).toMatchObject({ done: 1, failed: [] });
    expect((await records(made))[0]?.checkpoint).toBe(resumeUri(name, checkpoint));
  });

  it('that is not whole leaves the job for a person, and nothing is submitted', async () => {
    const made = scene();
    await made.addJob('train', command(), checkpoint);
    await made.addJob('other', command(), { ...checkpoint, path: 'azureml/other/checkpoints' });
    made.damaged.set(checkpoint.path, 'step-3.json: 12 bytes, expected 13');
    const result = await made.resubmit();
    expect(result.counts).toEqual([
      {
        kind: 'jobs',
        expected: 2,
        done: 1,
        skipped: [{ reason: 'left for a person: its checkpoint could not be restored', count: 1 }],
        failed: [],
      },
      {
        kind: 'checkpoint files',
        expected: 6,
        done: 5,
        skipped: [],
        failed: [{ reason: 'not restored: see the job', count: 1 }],
      },
    ]);
    expect(result.lost).toEqual([
      'job "train" of ana is left for a person: its checkpoint could not be restored: step-3.json: 12 bytes, expected 13',
    ]);
    expect(made.successors().map(({ name }) => name)).toEqual([successorName(rootOf('other'), 1)]);
    // Repaired, the same run goes on.
    made.damaged.clear();
    const again = await made.resubmit();
    expect(again.counts?.[0]).toMatchObject({ done: 2, skipped: [] });
  });

  it('is made for a person too, who is told where it is', async () => {
    const made = scene();
    await made.addJob('lab', command({ services: { s: { jobServiceType: 'JupyterLab' } } }), checkpoint);
    const result = await made.resubmit();
    const uri = resumeUri(successorName(rootOf('lab'), 1), checkpoint);
    expect(result.lost).toEqual([
      `job "lab" of ana is left for a person: a person works in it (JupyterLab); its last checkpoint is in ${uri}`,
    ]);
    expect(await made.store.read(ledgerName(rootOf('lab')))).toBeUndefined();
  });
});

describe('a lineage that came back', () => {
  it('goes on from its last job, not from an earlier one that still runs unseen', async () => {
    const made = scene();
    const origin = await made.addJob('train', command(), checkpoint);
    const plan = { entry: origin, run: 'run-0', settled: { as: 'lost', at: '', reason: '' } } as const;
    await planSuccessor(made.store, { ...plan, to: 'westus3' });
    const back = await planSuccessor(made.store, { ...plan, to: 'eastus' });
    const planned = await made.resubmit();
    expect(planned.lost?.[0]).toContain(`came back to eastus as "${back.name}", and that was never submitted`);

    await markSubmitted(made.store, origin.lineageRoot, back.hop);
    const tags = {
      'understudy.lineage': origin.lineageRoot,
      'understudy.hop': '2',
      'understudy.run': 'run-0',
    };
    await made.addJob(back.name, command({ tags }), {
      ...checkpoint,
      path: `azureml/${back.name}/checkpoints`,
    });
    const result = await made.resubmit();
    expect(result.counts?.[0]).toMatchObject({
      expected: 2,
      done: 1,
      skipped: [{ reason: 'an earlier job of its lineage', count: 1 }],
    });
    expect(made.successors().map(({ name }) => name)).toEqual([successorName(origin.lineageRoot, 3)]);
  });

  it('after the recovery point is left to people: nothing of it is resubmitted', async () => {
    const made = scene();
    const origin = await made.addJob('train', command(), checkpoint);
    const settled = { as: 'cancelled', at: '', reason: '' } as const;
    // A switchover had drained it, and was given up.
    const inPlace = await planSuccessor(made.store, { entry: origin, run: 'run-0', to: 'eastus', settled });
    await markSubmitted(made.store, origin.lineageRoot, inPlace.hop);
    const result = await made.resubmit();
    expect(result.lost).toEqual([
      `job "train" of ana is left for a person: an earlier job of its lineage, which came back to eastus as ` +
        `"${inPlace.name}", and the recovery point does not have that; its last checkpoint is in ` +
        resumeUri(successorName(origin.lineageRoot, 1), checkpoint),
    ]);
    expect(made.successors()).toEqual([]);
  });

  it('is told to people by the name that its owner gave it', async () => {
    const made = scene();
    const lineageRoot = rootOf('train');
    const name = successorName(lineageRoot, 1);
    const tags = {
      'understudy.lineage': lineageRoot,
      'understudy.hop': '1',
      'understudy.run': 'run-0',
      'understudy.resume': 'manual',
    };
    await made.addJob(name, command({ tags }));
    const result = await made.resubmit();
    expect(result.lost?.[0]).toMatch(
      new RegExp(`^job "${name}" \\(submitted as "train"\\) of ana is left for a person: `),
    );
  });
});
