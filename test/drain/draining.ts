/** A scene whose jobs a switchover drains: jobs that live as a test says, and a step that may be disturbed. */
import { setTimeout as wait } from 'node:timers/promises';
import { vi } from 'vitest';
import type { JsonObject } from '../../simulator/contract/index.ts';
import { statBlob } from '../../src/azure/storage/blobs.ts';
import { drainJobs } from '../../src/drain/drain-jobs.ts';
import { resumeDrained } from '../../src/drain/resume-drained.ts';
import type { StepResult } from '../../src/run/work/outcome.ts';
import type { Progress, StepContext } from '../../src/run/work/step-context.ts';
import type { TopologyInput } from '../../src/topology/topology.ts';
import { startTraining } from '../checkpoints/training.ts';
import { text } from '../simulator/machinelearning/fixture.ts';
import { stepOf, upload, type Scene, type TestRun } from '../recovery-point/scene.ts';

type Drain = NonNullable<NonNullable<TopologyInput['jobs']>['drain']>;

const step = stepOf('fence/platform/drain', 'drainJobs', { undoable: true });

/** Waits for something to become so. */
export const until = (condition: () => Promise<boolean>) => vi.waitUntil(condition, { timeout: 20_000, interval: 100 });

/** What a job is besides a command that runs until it is cancelled. */
interface JobOptions {
  /** Seconds of its life by the clock of the simulator. */
  queue?: number;
  run?: number;
  outcome?: 'Failed';
  tags?: Record<string, string>;
  /** Folder of its checkpoints; without one it takes none. */
  checkpoints?: string;
  more?: JsonObject;
}

export interface Draining extends Scene {
  /** Submits a job to eastus. */
  submit(name: string, options?: JobOptions): Promise<void>;
  cancelByHand(name: string): Promise<void>;
  /** The properties of a job of eastus; undefined: there is none. */
  job(name: string): Promise<JsonObject | undefined>;
  status(name: string): Promise<string>;
  statuses(...names: string[]): Promise<string[]>;
  /** All jobs of a workspace. */
  names(workspace: string): Promise<string[]>;
  /** What the code of a training does: writes one of its checkpoints. */
  write(path: string, content?: string): Promise<void>;
  /** Returns once the clock is in another second. */
  nextSecond(): Promise<void>;
  /** Returns once the training is asked for a checkpoint. */
  asked(): Promise<unknown>;
  /** When a blob was written (ISO 8601); undefined: it does not exist. */
  writtenAt(path: string): Promise<string | undefined>;
  switchover(
    drain: Drain,
    more?: { runId?: string; onCheckpoint?: (progress: Progress) => void | Promise<void> },
  ): TestRun;
  /** An attempt of the step, as the run's worker makes it: with the cursor of the attempt before. */
  drain(run: TestRun, more?: Partial<StepContext>): Promise<StepResult>;
  resume(run: TestRun, more?: Partial<StepContext>): Promise<string>;
}

export const request = 'checkpoints/train/checkpoint-now';

/** The topology's policies of these tests: nobody waits long. */
const policies = { fenceDeadline: '2s', requestTimeout: '2s' } as const;

/** With its training at work. */
export async function startAtWork(): Promise<Draining> {
  const scene = await startDraining();
  await vi.waitUntil(async () => (await scene.status('train')) === 'Running', { timeout: 10_000 });
  // Azure dates blobs by the second: what was written in the second of a request counts as written since.
  await scene.nextSecond();
  return scene;
}

export async function startDraining(): Promise<Draining> {
  const scene = await startTraining();
  const { fixture, east, eastAccount, eastContainer } = scene;
  const find = async (name: string) => {
    const { status, body } = await fixture.arm('GET', `${east}/jobs/${name}`);
    return status === 404 ? undefined : (body.properties as JsonObject);
  };
  const status = async (name: string) => {
    const job = await find(name);
    return job ? text(job.status) : 'gone';
  };
  const writtenAt = async (path: string) =>
    (await statBlob({ account: eastAccount, container: eastContainer, path }, new AbortController().signal))?.writtenAt;
  const contextOf = (run: TestRun, more: Partial<StepContext> = {}) => ({ ...run.context(step), ...more });
  return {
    ...scene,
    async submit(name, options) {
      await fixture.put(`${east}/jobs/${name}`, { properties: jobOf(east, options) });
    },
    async cancelByHand(name) {
      await fixture.arm('POST', `${east}/jobs/${name}/cancel`);
    },
    job: find,
    status,
    statuses: (...names) => Promise.all(names.map(status)),
    names: async (workspace) =>
      (await fixture.list(`${workspace}/jobs?listViewType=All`)).map(({ name }) => text(name)),
    write: (path, content = path) => upload(eastAccount, eastContainer, path, content),
    nextSecond: () => wait(1010 - (Date.now() % 1000)),
    writtenAt,
    asked: () => until(async () => (await writtenAt(request)) !== undefined),
    switchover: (drain, more = {}) =>
      scene.run({ operation: 'switchover', topology: { jobs: { drain }, policies }, steps: [step], ...more }),
    drain: (run, more) => drainJobs(contextOf(run, more)),
    resume: (run, more) => resumeDrained(contextOf(run, more)),
  };
}

function jobOf(
  east: string,
  { queue = 0, run = 360_000, outcome, tags = {}, checkpoints, more = {} }: JobOptions = {},
): JsonObject {
  const uri = (path: string) => `azureml://datastores/workspaceblobstore/paths/${path}`;
  return {
    jobType: 'Command',
    command: checkpoints === undefined ? 'python score.py' : 'python train.py --resume ${{inputs.resume_from}}',
    environmentId: `${east}/environments/e/versions/1`,
    computeId: `${east}/computes/gpu`,
    ...(checkpoints === undefined
      ? {}
      : {
          inputs: { resume_from: { jobInputType: 'uri_folder', mode: 'Download', uri: uri('start') } },
          outputs: {
            checkpoints: { jobOutputType: 'uri_folder', mode: 'ReadWriteMount', uri: uri(checkpoints) },
          },
        }),
    properties: {
      'simulator.prepareSeconds': '0',
      'simulator.queueSeconds': String(queue),
      'simulator.runSeconds': String(run),
      ...(outcome === undefined ? {} : { 'simulator.outcome': outcome }),
    },
    tags: { owner: 'ana', ...tags },
    ...more,
  };
}
