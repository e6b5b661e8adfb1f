/**
 * Work on the old side, which may not answer. What could not be done there is owed: recorded as a debt in the control
 * store, shown by `status` and the report, and paid first when the region answers.
 */
import { z } from 'zod';
import { documentKind } from '../control-store/document.ts';
import { isUnderstudyError, messageOf, UnderstudyError } from '../errors/error.ts';
import type { ControlStore } from '../control-store/store.ts';
import { Debt, type StepResult } from '../run/work/outcome.ts';
import type { StepContext } from '../run/work/step-context.ts';
import { toSeconds } from '../topology/duration.ts';
import { fenceBegan, GaveUp, isRefusal, fenceDeadlineOf, type Ask, type FenceDeadline } from './fence-deadline.ts';

const folder = 'debts/';
const nameOf = (debt: Pick<Debt, 'region' | 'kind'>) => `${folder}${debt.region}/${debt.kind}.json`;

/** A debt as it is stored, with when it was paid or became void, if it did. */
export const KeptDebt = Debt.extend({
  owedSince: z.string(),
  run: z.string(),
  paidAt: z.string().optional(),
});
export type KeptDebt = z.infer<typeof KeptDebt>;

const debtDocuments = documentKind('debt of a fence', 1, KeptDebt);

/** Debts of one region, or of all. ControlStoreError for one that cannot be read, unless `damaged` takes it. */
export async function listDebts(
  store: ControlStore,
  { region, damaged }: { region?: string; damaged?: (error: UnderstudyError) => void } = {},
): Promise<KeptDebt[]> {
  const debts: KeptDebt[] = [];
  for await (const name of store.list(region === undefined ? folder : `${folder}${region}/`)) {
    try {
      const found = await debtDocuments.read(store, name);
      if (found && found.value.paidAt === undefined) debts.push(found.value);
    } catch (error) {
      if (!damaged || !isUnderstudyError(error, 'ControlStoreError')) throw error;
      damaged(error);
    }
  }
  return debts;
}

/** Clears the debts of a run's fence: the run was cancelled, and its old side is the writer again. */
export async function forgiveDebts(
  store: ControlStore,
  { region, run }: Pick<KeptDebt, 'region' | 'run'>,
  now: Date,
): Promise<void> {
  for (const debt of await listDebts(store, { region })) if (debt.run === run) await pay(store, debt, now);
}

/**
 * Does `work` on the old side, request by request, until the region makes no more progress (policy `fenceDeadline`),
 * the work has taken too long in all (`fenceLimit`), or the region refuses; then it is owed. If the plan says that the
 * step must not be owed, it fails instead: NotYetError while the region makes no progress. Each attempt then has the
 * whole time, which otherwise counts from the beginning of the fence. `work` may run again: what is done is not done
 * again.
 */
export async function doOrOwe(
  context: StepContext,
  debt: { kind: Debt['kind']; what: string },
  work: (ask: Ask, deadline: FenceDeadline) => Promise<string>,
): Promise<StepResult> {
  // What must not be owed is no part of a fence that is in a hurry: jobs may be waited for before that begins.
  const since = mayOwe(context) ? await fenceBegan(context) : context.now().toISOString();
  const deadline = await fenceDeadlineOf(context, {
    progressAt: since,
    endsInMs: msUntilLimit(context, since),
  });
  const ask: Ask = async (question) => {
    deadline.checkEnd('not all of it could be done in time');
    const answer = await deadline.ask(question);
    deadline.progress();
    return answer;
  };
  try {
    const detail = await work(ask, deadline);
    await pay(context.store, { region: context.from.region, kind: debt.kind }, context.now());
    return { state: 'completed', detail };
  } catch (error) {
    if (context.signal.aborted || !(error instanceof GaveUp || isRefusal(error))) throw error;
    if (!mayOwe(context)) throw error instanceof GaveUp ? notYet(context, error) : error;
    return owe(context, { ...debt, reason: messageOf(error) });
  }
}

/** Whether the plan lets the step owe what the old side does not do. */
export function mayOwe({ step: { provides, mayOwe: says } }: StepContext): boolean {
  // Plans of older releases do not say it; all of their fences were hard.
  return says === true || provides === undefined;
}

function notYet({ from }: StepContext, { message }: GaveUp): UnderstudyError {
  return new UnderstudyError('NotYetError', `${from.region} does not do it yet: ${message}`, {
    next: `It is tried again by itself. If ${from.region} is out, fail over: "understudy failover" ends this run, as long as it has not taken the region pointer.`,
  });
}

/** Each attempt has at least the time of one request. */
function msUntilLimit({ topology, now }: StepContext, since: string): number {
  const { fenceLimit, requestTimeout } = topology.policies;
  const overMs = now().getTime() - Date.parse(since);
  return Math.max(toSeconds(fenceLimit) * 1000 - overMs, toSeconds(requestTimeout) * 1000);
}

/**
 * The old side did not answer, or refused. Our own failures (fenced, no credential, the control store) do not make a
 * debt.
 */
export function isRefusalOrSilence(error: unknown): error is UnderstudyError {
  if (!isUnderstudyError(error) || error.details.origin !== undefined) return false;
  return error.retryable || error.code === 'AzureError';
}

/** Records a debt of this step's fence, and returns the outcome `owed`. A debt that is owed already keeps its date. */
export async function owe(
  context: StepContext,
  { kind, what, reason }: Pick<Debt, 'kind' | 'what' | 'reason'>,
): Promise<StepResult> {
  const debt: Debt = { kind, region: context.from.region, what, reason, step: context.step.id };
  await keep(context.store, { ...debt, run: context.run.runId, owedSince: context.now().toISOString() });
  return { state: 'owed', detail: `${what}: ${reason}`, owed: [debt] };
}

async function keep(store: ControlStore, debt: KeptDebt): Promise<void> {
  for (;;) {
    const found = await debtDocuments.read(store, nameOf(debt));
    if (found && found.value.paidAt === undefined) return; // owed already: since then
    if (await debtDocuments.swap(store, nameOf(debt), debt, found?.etag)) return;
  }
}

/** Marks a debt as paid; does nothing if it is not owed. */
export async function pay(store: ControlStore, debt: Pick<Debt, 'region' | 'kind'>, now: Date): Promise<void> {
  for (;;) {
    const found = await debtDocuments.read(store, nameOf(debt));
    if (!found || found.value.paidAt !== undefined) return;
    const paid = { ...found.value, paidAt: now.toISOString() };
    if (await debtDocuments.swap(store, nameOf(debt), paid, found.etag)) return;
  }
}
