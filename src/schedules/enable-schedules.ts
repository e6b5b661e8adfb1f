/**
 * The action `enableSchedules`: at the switch, enables on the new side the schedules that were enabled on the old one.
 * It does so only once the old side's are stopped, or its region is known not to answer. The schedules of both sides
 * never fire at the same time.
 */
import { setTimeout as wait } from 'node:timers/promises';
import { apiVersions } from '../azure/azure.ts';
import { isUnderstudyError, messageOf, UnderstudyError } from '../errors/error.ts';
import { recordStoppedIntake, readShutOut } from '../fence/shut-out-record.ts';
import { disableSchedules, enabledSchedules } from '../fence/stop-intake.ts';
import { pay } from '../fence/old-side.ts';
import { GaveUp, isRefusal, isUnanswered, FenceDeadline, type Ask } from '../fence/fence-deadline.ts';
import type { StepResult } from '../run/work/outcome.ts';
import type { StepContext } from '../run/work/step-context.ts';
import { toSeconds } from '../topology/duration.ts';
import { workspaceId } from '../topology/sides.ts';
import { mergeOfRun } from '../merge/decide-merge.ts';
import { leaveBehind } from '../merge/selection.ts';
import { notDoneBy, showFindings, writeFindings, type Finding } from '../run/work/findings.ts';
import { lostAssets, whyLost } from '../standby/lost-assets.ts';
import type { SealedManifest } from '../recovery-point/manifest.ts';
import { readPart } from '../recovery-point/recovery-point.ts';
import { isEnabled, schedulePath, setEnabled } from '../workspace/schedules.ts';
import { openPointOfRun } from '../standby/standby.ts';
import { fail, newTally, seen, skip, sum, toCounts } from '../run/work/tally.ts';
import { showCount } from '../topology/figures.ts';

interface EnabledByRun {
  /** Schedules that this run enables. Its undo disables them again. */
  names: string[];
}

/**
 * Errors: PreconditionError if the old side answers and its schedules cannot be stopped; AzureUnavailable;
 * RecoveryPointError.
 */
export async function enableSchedules(context: StepContext): Promise<StepResult> {
  const { store, to } = context;
  const { sealed } = await openPointOfRun(context);
  const wanted = new Map<string, boolean>();
  for await (const schedule of readPart(store, sealed, 'schedules')) wanted.set(schedule.name, isEnabled(schedule));
  for (const name of await firedHere(context)) if (wanted.has(name)) wanted.set(name, true);
  const other = await stopOther(context);
  await context.recordUndo<EnabledByRun>(async () => ({ names: await disabledOf(context, wanted) }));
  const notCreated = await notDoneBy(context, 'configureSchedules');
  const lost = await lostSchedules(context, sealed);
  const tally = newTally();
  const findings: Finding[] = [];
  for (const [name, enabled] of wanted) {
    await context.checkpoint({ unit: 'schedules', done: seen(tally), total: wanted.size });
    if (!enabled || notCreated.has(`schedule ${name}`)) {
      skip(tally, enabled ? 'it could not be created' : 'it was disabled in the active workspace');
      continue;
    }
    const reason = lost.get(name) ?? (await whyNotEnabled(context, name));
    if (reason === undefined) tally.done += 1;
    else {
      (lost.has(name) ? skip : fail)(tally, reason);
      findings.push({ what: `schedule ${name}`, state: 'failed', reason });
    }
  }
  findings.push(...(await leftDisabled(context, wanted)));
  return {
    state: 'completed',
    detail: `${showCount(tally.done, 'schedule')} enabled in ${to.region}${sum(tally.failed) > 0 ? `, ${sum(tally.failed)} not` : ''}; ${other}`,
    counts: [toCounts(tally, 'schedules enabled', wanted.size)],
    evidence: await writeFindings(context, 'list', findings),
    ...(findings.length > 0 ? { lost: showFindings(findings) } : {}),
  };
}

/** Schedules that only this side had, and that fired here until a fence disabled them: nobody has ever disabled them. */
async function firedHere(context: StepContext): Promise<string[]> {
  const merge = await mergeOfRun(context);
  const brought = merge?.items.filter((each) => each.case === 'only there' && !leaveBehind(each)) ?? [];
  const items = new Set(brought.map(({ item }) => item));
  const stopped = items.size > 0 ? await readShutOut(context.store, context.to.region, 'intake') : undefined;
  return (stopped?.schedules ?? []).filter((name) => items.has(`schedules/${name}`));
}

/** Schedules whose jobs would read something lost. Verification found that after they were created. */
async function lostSchedules(context: StepContext, sealed: SealedManifest): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  const lost = await lostAssets(context, sealed);
  if (lost.size === 0) return found;
  const { workspace } = sealed;
  for await (const { name, properties } of readPart(context.store, sealed, 'schedules')) {
    const why = whyLost(lost, { name: `schedules/${name}`, json: properties, workspace });
    if (why !== undefined) found.set(name, `what its jobs read is not whole: ${why}`);
  }
  return found;
}

/**
 * Schedules that an earlier fence disabled here and that were never carried to the other side: they may no longer be
 * wanted.
 */
async function leftDisabled(
  { azure, store, to, signal }: StepContext,
  wanted: ReadonlyMap<string, boolean>,
): Promise<Finding[]> {
  const left = (await readShutOut(store, to.region, 'intake'))?.schedules ?? [];
  const reason = `a fence of ${to.region} disabled it, and the recovery point does not have it: enable it if it is still wanted`;
  const findings: Finding[] = [];
  for (const name of left.filter((each) => !wanted.has(each))) {
    const path = schedulePath(workspaceId(to.workspace), name);
    const held = await azure.arm.find(path, apiVersions.machineLearning, { signal });
    if (held && !isEnabled(held)) findings.push({ what: `schedule ${name}`, state: 'skipped', reason });
  }
  return findings;
}

/** The undo of `enableSchedules`. Idempotent. */
export async function disableAgain(context: StepContext, undo: unknown): Promise<string> {
  const { names } = (undo ?? { names: [] }) as EnabledByRun;
  let disabled = 0;
  for (const name of names)
    if (await setEnabled(context.azure, context.to, name, false, { signal: context.signal })) disabled += 1;
  return `${showCount(disabled, 'schedule')} disabled again in ${context.to.region}`;
}

/** Returns those of the schedules to enable that are not enabled. */
async function disabledOf({ azure, to, signal }: StepContext, wanted: ReadonlyMap<string, boolean>): Promise<string[]> {
  const path = `${workspaceId(to.workspace)}/schedules?listViewType=All`;
  const names: string[] = [];
  for await (const schedule of azure.arm.list(path, apiVersions.machineLearning, { signal }))
    if (wanted.get(schedule.name) === true && !isEnabled(schedule)) names.push(schedule.name);
  return names;
}

async function whyNotEnabled(context: StepContext, name: string): Promise<string | undefined> {
  const { azure, to, signal } = context;
  try {
    await setEnabled(azure, to, name, true, { signal });
    const path = schedulePath(workspaceId(to.workspace), name);
    const held = await azure.arm.find(path, apiVersions.machineLearning, { signal });
    if (!held) return 'it is not there';
    return isEnabled(held) ? undefined : 'Azure stored it disabled';
  } catch (error) {
    if (!isUnderstudyError(error, 'AzureError')) throw error;
    return messageOf(error);
  }
}

/**
 * Checks the old side once more: a resource whose fence is owed may answer by now, and a stopped schedule may have been
 * enabled since. Returns one line about what was found. The control store is not asked through `Ask`, because its
 * silence is not the region's.
 */
async function stopOther(context: StepContext): Promise<string> {
  const { azure, store, from, run, now } = context;
  const ask = askOther(context);
  try {
    const schedules = await ask((options) => enabledSchedules(azure, from, options));
    if (schedules.length > 0) {
      await recordStoppedIntake(store, { region: from.region, run: run.runId, schedules }, now());
      await disableSchedules(azure, from, schedules, ask);
    }
    await pay(store, { region: from.region, kind: 'intake' }, now());
    return schedules.length === 0
      ? `none is enabled in ${from.region}`
      : `stopped in ${from.region}: ${schedules.join(', ')}`;
  } catch (error) {
    if (error instanceof NothingFires) return error.message;
    throw error;
  }
}

/** The old side is gone or does not answer: there is no point in waiting. */
class NothingFires extends Error {}

const tries = 3;
const pauseMs = 500;

/**
 * Asks the old side, and gives each request as long as one request may take.
 * Errors: NothingFires; PreconditionError if it refuses; AzureUnavailable if it answers only some requests, or
 * throttles. Its schedules may then fire, so the step is retried.
 */
function askOther(context: StepContext): Ask {
  const { from, to, signal, topology } = context;
  const limitMs = toSeconds(topology.policies.requestTimeout) * 1000;
  let hasAnswered = false;
  const fail = (error: unknown): never => {
    if (isRefusal(error)) {
      if (error.details.azure?.status === 404) throw new NothingFires(`the workspace of ${from.region} is gone`);
      throw new UnderstudyError(
        'PreconditionError',
        `the schedules of ${from.region} may still fire, and it refuses to have them stopped: ${error.message}`,
        {
          next: `Disable them by hand, or allow it, then retry the run: those of ${to.region} stay disabled until then.`,
          cause: error,
        },
      );
    }
    const isSilence = error instanceof GaveUp ? error.isSilent : isUnanswered(error);
    if (!isSilence && !(error instanceof GaveUp)) throw error;
    if (isSilence && !hasAnswered)
      throw new NothingFires(`${from.region} does not answer: what could not be stopped there is owed`);
    throw new UnderstudyError(
      'AzureUnavailable',
      `the schedules of ${from.region} may still fire: it answers, and not all could be stopped: ${messageOf(error)}`,
    );
  };
  return async (question) => {
    await context.checkpoint({ unit: 'schedules', done: 0 });
    for (let attempt = 1; ; attempt++) {
      const deadline = new FenceDeadline({ signal, limitMs, isHasty: true, endsInMs: limitMs * tries });
      try {
        const answer = await deadline.ask(question);
        hasAnswered = true;
        return answer;
      } catch (error) {
        if (signal.aborted) throw error;
        // One failed request does not mean that a region is silent.
        if (!isUnanswered(error) || attempt === tries) return fail(error);
        await wait(pauseMs, undefined, { signal });
      }
    }
  };
}
