/**
 * The old side may not answer. What could not be done there is owed: written down as a debt in the control store, shown
 * by `status` and the report, and paid first when the region answers.
 */
import { z } from 'zod';
import type { CallOptions } from '../azure/azure.ts';
import { documentKind } from '../control-store/document.ts';
import { isUnderstudyError, messageOf, type UnderstudyError } from '../errors/error.ts';
import type { ControlStore } from '../control-store/store.ts';
import { Debt, type StepResult } from '../run/outcome.ts';
import type { StepContext } from '../run/step-context.ts';
import { GaveUp, isRefusal, patienceOf, type Patience } from './patience.ts';

const folder = 'debts/';
const nameOf = (debt: Pick<Debt, 'region' | 'kind'>) => `${folder}${debt.region}/${debt.kind}.json`;

/** A debt as it is kept: and when it was paid or came to nothing, if it did. */
const KeptDebt = Debt.extend({
  owedSince: z.string(),
  run: z.string(),
  paidAt: z.string().optional(),
});
export type KeptDebt = z.infer<typeof KeptDebt>;

const debtDocuments = documentKind('debt of a fence', 1, KeptDebt);

/** ControlStoreError where one cannot be read. */
export async function listDebts(store: ControlStore): Promise<KeptDebt[]> {
  const debts: KeptDebt[] = [];
  for await (const name of store.list(folder)) {
    const found = await debtDocuments.read(store, name);
    if (found && found.value.paidAt === undefined) debts.push(found.value);
  }
  return debts;
}

/** What the fence of a run owes is owed no longer: the run was cancelled, and its old side is the writer again. */
export async function forgiveDebts(
  store: ControlStore,
  { region, run }: Pick<KeptDebt, 'region' | 'run'>,
  now: Date,
): Promise<void> {
  for (const debt of await listDebts(store))
    if (debt.region === region && debt.run === run) await pay(store, debt, now);
}

/** Tries `work` on the old side until the policy `fenceDeadline` is over, or until it is refused; then it is owed. */
export function settleOrOwe(
  context: StepContext,
  debt: { kind: Debt['kind']; what: string },
  work: (options: CallOptions) => Promise<string>,
): Promise<StepResult> {
  return settleInPartsOrOwe(context, debt, (patience) => patience.ask(work));
}

/** As `settleOrOwe`, with several questions, and what is waited for in between. */
export async function settleInPartsOrOwe(
  context: StepContext,
  debt: { kind: Debt['kind']; what: string },
  work: (patience: Patience) => Promise<string>,
): Promise<StepResult> {
  const patience = await patienceOf(context);
  try {
    const detail = await work(patience);
    await pay(context.store, { region: context.from.region, kind: debt.kind }, context.now());
    return { state: 'completed', detail };
  } catch (error) {
    if (context.signal.aborted || !(error instanceof GaveUp || isRefusal(error))) throw error;
    return owe(context, { ...debt, reason: messageOf(error) });
  }
}

/** Of the old side: it did not answer, or would not do it. What is ours (fenced, no credential, the control store) is no reason to owe. */
export function isRefusalOrSilence(error: unknown): error is UnderstudyError {
  if (!isUnderstudyError(error) || error.details.origin !== undefined) return false;
  return error.retryable || error.code === 'AzureError';
}

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

export async function pay(
  store: ControlStore,
  debt: Pick<Debt, 'region' | 'kind'>,
  now: Date,
): Promise<void> {
  for (;;) {
    const found = await debtDocuments.read(store, nameOf(debt));
    if (!found || found.value.paidAt !== undefined) return;
    const paid = { ...found.value, paidAt: now.toISOString() };
    if (await debtDocuments.swap(store, nameOf(debt), paid, found.etag)) return;
  }
}
