/**
 * The action `endZombies`: jobs of a region that was lost, and that ran on there unseen. Each is compared with its
 * successor in the writer's region, and cancelled, or left to end, as `jobs.zombies` says. The successor is the one
 * that counts; what the other has written stays where it is, and is named. No request for a checkpoint is left there.
 */
import { setTimeout as wait } from 'node:timers/promises';
import { UnderstudyError } from '../errors/error.ts';
import {
  cancelAll,
  endIn,
  findJob,
  gone,
  surveyLate,
  surveyOf,
  type Asking,
  type Survey,
} from '../fence/cancel-jobs.ts';
import { GaveUp, type Ask } from '../fence/fence-deadline.ts';
import { listDebts } from '../fence/old-side.ts';
import { stopSchedules } from '../fence/stop-intake.ts';
import { StoppedRecord, type StoppedJob } from '../fence/stopped-jobs.ts';
import { lastSuccessor, lineageOf, submittedAs } from '../ledger/ledger.ts';
import { mapBounded } from '../run/work/bounded.ts';
import { everySecond } from '../run/work/every-second.ts';
import { writeFindings, type Finding } from '../run/work/findings.ts';
import { reconcile, type StepResult } from '../run/work/outcome.ts';
import type { StepContext } from '../run/work/step-context.ts';
import { toSeconds } from '../topology/duration.ts';
import { showCount } from '../topology/figures.ts';
import { azureJobs } from '../workspace/jobs/azure-jobs.ts';
import { showJob } from '../workspace/jobs/job.ts';
import { askingOf, requireNoneRefused, window } from './job-ends.ts';
import { withdrawLeft } from './withdraw-left.ts';

const pauseMs = 2000;
const linesOfLoss = 20;

interface Zombie {
  name: string;
  seen: StoppedJob;
  /** How it ended; `Canceled` unless it ended by itself. */
  end: string;
}

/**
 * Idempotent: what has ended stays so, and is reported by any attempt. Errors: NotYetError while the
 * region does not answer; PreconditionError if it refuses to cancel a job; AzureUnavailable.
 */
export async function endZombies(context: StepContext): Promise<StepResult> {
  const { topology, to } = context;
  const { policy, deadline } = topology.jobs.zombies;
  try {
    const intake = await stopIntake(context);
    const zombies = await endAll(context, policy === 'finish' ? toSeconds(deadline) * 1000 : 0);
    const withdrawn = await withdrawLeft(context, askingWith(context, () => ({ done: 0, total: zombies.length }))());
    const besides = [intake, withdrawn].filter((each) => each !== undefined).join('; ');
    if (zombies.length === 0) return { state: 'completed', detail: `no job ran on in ${to.region}; ${besides}` };
    const compared = await compareAll(context, zombies);
    const byThemselves = zombies.filter(({ end }) => end !== 'Canceled').length;
    return {
      state: 'completed',
      detail: `${showCount(zombies.length, 'job')} ran on in ${to.region}: ${zombies.length - byThemselves} cancelled, ${byThemselves} ended; ${besides}`,
      counts: [
        reconcile({
          kind: 'jobs that ran on',
          expected: zombies.length,
          done: zombies.length - byThemselves,
          skipped: byThemselves > 0 ? [{ reason: 'ended by itself', count: byThemselves }] : [],
          failed: [],
        }),
      ],
      evidence: await writeFindings(
        context,
        'list',
        compared.map((each) => findingOf(context, each)),
      ),
      lost: linesOf(context, compared),
    };
  } catch (error) {
    if (context.signal.aborted || !(error instanceof GaveUp)) throw error;
    throw new UnderstudyError('NotYetError', `${to.region} does not answer about its jobs: ${error.message}`, {
      next: 'It is tried again by itself. "understudy cancel RUN" gives it up.',
    });
  }
}

/** No job may begin there any more. */
async function stopIntake(context: StepContext): Promise<string> {
  const { store, to, run, signal } = context;
  const [debt] = (await listDebts(store, { region: to.region })).filter(({ kind }) => kind === 'intake');
  const ask: Ask = async (question) => {
    await context.checkpoint({ unit: 'schedules', done: 0 });
    return question({ signal });
  };
  return stopSchedules(context, { side: to, run: debt?.run ?? run.runId }, ask);
}

/**
 * Returns every job that this attempt, or an earlier one, found unfinished, once it has ended. Each is recorded before
 * the first is cancelled: an attempt that follows would find none of them unfinished.
 */
async function endAll(context: StepContext, patienceMs: number): Promise<Zombie[]> {
  const { store, run, to, signal, now } = context;
  const record = await StoppedRecord.open(store, run.runId);
  const zombies = new Map<string, Zombie>();
  const open = () => [...zombies.values()].filter(({ end }) => end === '').map(({ name }) => name);
  const asking = askingWith(context, () => ({ done: zombies.size - open().length, total: zombies.size }));
  const found = await surveyLate(asking(), () => false, { isWhole: true });
  await record.add({ stopped: Object.fromEntries(found.unfinished), ended: {} });
  for (const [name, seen] of Object.entries(record.stopped)) zombies.set(name, { name, seen, end: '' });
  const look = async (): Promise<Survey['pages']> => {
    const seen = await surveyOf(asking(), new Set(open()));
    for (const name of open()) if (!seen.unfinished.has(name)) note(zombies, name, endIn(seen, name));
    return seen.pages;
  };
  let pages = zombies.size > found.unfinished.size ? await look() : found.pages;
  for (const until = now().getTime() + patienceMs; open().length > 0 && now().getTime() < until;) {
    await asking().beat();
    await wait(pauseMs, undefined, { signal });
    pages = await look();
  }
  const ended = (name: string, status: string) => note(zombies, name, status);
  const refused = await cancelAll({ ...asking(), names: open(), pages, ended, waitForAll: true });
  requireNoneRefused(refused, to.region, '"understudy reprotect" again');
  return [...zombies.values()].filter(({ seen }) => seen.minor !== true);
}

/** Returns what makes, for each piece of work, the access to the region; all with one heartbeat. */
function askingWith(context: StepContext, progress: () => { done: number; total: number }): () => Asking {
  const beat = everySecond(() => context.checkpoint({ unit: 'jobs', ...progress() }));
  return () => askingOf(context, context.to, beat);
}

function note(zombies: Map<string, Zombie>, name: string, end: string): void {
  const zombie = zombies.get(name);
  if (zombie) zombie.end = end;
}

/** A job that ran on, and the successor that counts instead. */
interface Compared extends Zombie {
  successor?: { name: string; status: string };
}

function compareAll(context: StepContext, zombies: readonly Zombie[]): Promise<Compared[]> {
  let done = 0;
  const asking = askingWith(context, () => ({ done, total: zombies.length }));
  return mapBounded(zombies, window, async (zombie) => {
    await asking().beat();
    const compared = await compare(context, zombie, asking());
    done += 1;
    return compared;
  });
}

async function compare(context: StepContext, zombie: Zombie, asking: Asking): Promise<Compared> {
  const { azure, store, from, to, signal } = context;
  const raw = (await findJob(asking, zombie.name))?.raw;
  const successor = await lastSuccessor(store, raw ? lineageOf(raw, to) : zombie.seen);
  if (!successor) return zombie;
  await asking.beat();
  const there = await azureJobs(azure.arm, from.workspace).find(successor.name, { signal });
  return { ...zombie, successor: { name: successor.name, status: there?.status ?? gone } };
}

/** What became of the job, and which of the two counts. */
function findingOf({ to, from }: StepContext, { name, seen, end, successor }: Compared): Finding {
  const what = showJob({ name, owner: seen.owner, ...submittedAs(seen) });
  const ran = `it ran on in ${to.region} (${seen.status}), and is ${end}`;
  const outputs = end === 'Completed' ? `; what it wrote stays in the storage of ${to.region}` : '';
  const reason = successor
    ? `${ran}; its successor "${successor.name}" in ${from.region} is ${successor.status}, and is the one that counts`
    : `${ran}; it has no successor${end === 'Completed' ? '' : `: submit it again in ${from.region}, if it is needed`}`;
  return { what, state: 'skipped', reason: reason + outputs };
}

/** What a person should see: a job without successor, or one of which there are two results. */
function isLoss({ end, successor }: Compared): boolean {
  return !successor || end === 'Completed';
}

function linesOf(context: StepContext, compared: readonly Compared[]): string[] {
  const lines = compared
    .filter(isLoss)
    .map((each) => findingOf(context, each))
    .map(({ what, reason }) => `${what}: ${reason}`);
  const more = lines.length - linesOfLoss;
  return more > 0 ? [...lines.slice(0, linesOfLoss), `and ${more} more`] : lines;
}
