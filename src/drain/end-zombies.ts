/**
 * The action `endZombies`: jobs of a region that was lost, and that ran on there unseen. Each is compared with its
 * successor in the writer's region, and cancelled, or left to end, as `jobs.zombies` says. The successor is the one that
 * counts; what the other has written stays where it is, and is named.
 */
import { setTimeout as wait } from 'node:timers/promises';
import { UnderstudyError } from '../errors/error.ts';
import { cancelAll, findJob, surveyLate, surveyOf, type Asking, type Survey } from '../fence/cancel-jobs.ts';
import { FenceDeadline, GaveUp, type Ask } from '../fence/fence-deadline.ts';
import { listDebts } from '../fence/old-side.ts';
import { stopSchedules } from '../fence/stop-intake.ts';
import { StoppedRecord, type StoppedJob } from '../fence/stopped-jobs.ts';
import { lastSuccessor, lineageOf, submittedAs } from '../ledger/ledger.ts';
import { everySecond } from '../run/work/every-second.ts';
import { writeFindings, type Finding } from '../run/work/findings.ts';
import { reconcile, type StepResult } from '../run/work/outcome.ts';
import type { StepContext } from '../run/work/step-context.ts';
import { toSeconds } from '../topology/duration.ts';
import { showCount } from '../topology/figures.ts';
import { azureJobs } from '../workspace/jobs/azure-jobs.ts';
import { showJob } from '../workspace/jobs/job.ts';

const pauseMs = 2000;
const linesOfLoss = 20;

interface Zombie {
  name: string;
  seen: StoppedJob;
  /** How it ended; `Canceled` unless it ended by itself. */
  end: string;
}

/**
 * Idempotent: what has ended stays so. Errors: NotYetError while the region does not answer; PreconditionError if it
 * refuses to cancel a job; AzureUnavailable.
 */
export async function endZombies(context: StepContext): Promise<StepResult> {
  const { topology, to } = context;
  const { policy, deadline } = topology.jobs.zombies;
  try {
    const intake = await stopIntake(context);
    const zombies = await endAll(context, policy === 'finish' ? toSeconds(deadline) * 1000 : 0);
    if (zombies.length === 0) return { state: 'completed', detail: `no job ran on in ${to.region}; ${intake}` };
    const compared = await Promise.all(zombies.map((zombie) => compare(context, zombie)));
    const byThemselves = zombies.filter(({ end }) => end !== 'Canceled').length;
    return {
      state: 'completed',
      detail: `${showCount(zombies.length, 'job')} ran on in ${to.region}: ${zombies.length - byThemselves} cancelled, ${byThemselves} ended; ${intake}`,
      counts: [
        reconcile({
          kind: 'jobs that ran on',
          expected: zombies.length,
          done: zombies.length - byThemselves,
          skipped: byThemselves > 0 ? [{ reason: 'ended by itself', count: byThemselves }] : [],
          failed: [],
        }),
      ],
      evidence: await writeFindings(context, 'list', compared),
      lost: linesOf(compared),
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

/** Returns every job that was found unfinished, by an earlier attempt too, once it has ended. */
async function endAll(context: StepContext, patienceMs: number): Promise<Zombie[]> {
  const { azure, store, run, to, signal, topology, now } = context;
  const limitMs = toSeconds(topology.policies.fenceDeadline) * 1000;
  const record = await StoppedRecord.open(store, run.runId);
  const zombies = new Map<string, Zombie>();
  const open = () => [...zombies.values()].filter(({ end }) => end === '').map(({ name }) => name);
  const beat = everySecond(() =>
    context.checkpoint({ unit: 'jobs', done: zombies.size - open().length, total: zombies.size }),
  );
  const asking = (): Asking => ({ azure, side: to, deadline: new FenceDeadline({ signal, limitMs }), beat });
  const noteEnded = async (names: string[]): Promise<Survey['pages']> => {
    const seen = await surveyOf(asking(), new Set(names));
    for (const name of names) if (!seen.unfinished.has(name)) note(zombies, name, seen.finished.get(name) ?? 'gone');
    return seen.pages;
  };
  const found = await surveyLate(asking(), () => false, { isWhole: true });
  let pages: Survey['pages'] = found.pages;
  const came = [...found.unfinished].filter(([name]) => record.stopped[name] === undefined);
  // Before the first is cancelled: an attempt that follows would find it ended, and not know that it had run on.
  if (came.length > 0) await record.add({ stopped: Object.fromEntries(came), ended: {} });
  for (const [name, seen] of Object.entries(record.stopped)) zombies.set(name, { name, seen, end: '' });
  await noteEnded(open().filter((name) => !found.unfinished.has(name)));
  for (const until = now().getTime() + patienceMs; open().length > 0 && now().getTime() < until;) {
    await beat();
    await wait(pauseMs, undefined, { signal });
    pages = await noteEnded(open());
  }
  const ended = (name: string, status: string) => note(zombies, name, status);
  const refused = await cancelAll({ ...asking(), names: open(), pages, ended, waitForAll: true });
  const [first] = refused;
  if (first)
    throw new UnderstudyError(
      'PreconditionError',
      `${showCount(refused.size, 'job')} of ${to.region} cannot be cancelled, such as "${first[0]}": ${first[1]}`,
      { next: 'Cancel it by hand, or allow it, then "understudy reprotect" again.' },
    );
  return [...zombies.values()].filter(({ seen }) => seen.minor !== true);
}

function note(zombies: Map<string, Zombie>, name: string, end: string): void {
  const zombie = zombies.get(name);
  if (zombie) zombie.end = end;
}

/** What became of the job, and which of the two counts. */
async function compare(context: StepContext, { name, seen, end }: Zombie): Promise<Finding> {
  const { azure, store, from, to, signal, topology } = context;
  const limitMs = toSeconds(topology.policies.fenceDeadline) * 1000;
  const asking = { azure, side: to, deadline: new FenceDeadline({ signal, limitMs }), beat: () => Promise.resolve() };
  const raw = (await findJob(asking, name))?.raw;
  const lineage = raw ? lineageOf(raw, to) : seen;
  const successor = await lastSuccessor(store, lineage);
  const there = successor && (await azureJobs(azure.arm, from.workspace).find(successor.name, { signal }));
  const what = showJob({ name, owner: seen.owner, ...submittedAs(seen) });
  const ran = `it ran on in ${to.region} (${seen.status}), and is ${end}`;
  const outputs = end === 'Completed' ? `; what it wrote stays in the storage of ${to.region}` : '';
  const reason = !successor
    ? `${ran}; it has no successor${end === 'Completed' ? '' : `: submit it again in ${from.region}, if it is needed`}`
    : `${ran}; its successor "${successor.name}" in ${from.region} is ${there?.status ?? 'gone'}, and is the one that counts`;
  return { what, state: 'skipped', reason: reason + outputs };
}

/** What a person should see: a job without successor, or one of which there are two results. */
function linesOf(compared: readonly Finding[]): string[] {
  const lines = compared
    .filter(({ reason }) => reason.includes('it has no successor') || reason.includes('and is Completed'))
    .map(({ what, reason }) => `${what}: ${reason}`);
  const more = lines.length - linesOfLoss;
  return more > 0 ? [...lines.slice(0, linesOfLoss), `and ${more} more`] : lines;
}
