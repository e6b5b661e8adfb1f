/**
 * Sends how a run ended to the webhooks that the topology names (`notify`): one POST per webhook and end of a run. A
 * webhook's address is a secret: it is in the environment of the workers, and neither in the topology nor in the
 * control store.
 */
import { messageOf, UnderstudyError } from '../errors/error.ts';
import type { ControlStore } from '../control-store/store.ts';
import { toSeconds } from '../topology/duration.ts';
import type { Topology } from '../topology/topology.ts';
import { describeRun, howToEnd } from './describe-run.ts';
import type { Environments } from './environment.ts';
import { changeRun, requireRun } from './journal.ts';
import { overtakenBy, type Overtaken } from './overtaken.ts';
import type { RunReference } from './reference.ts';
import type { RunDocument } from './run-document.ts';

/** Sends a body; throws if the webhook did not accept it. */
export type Send = (url: string, body: Notification, timeoutMs: number) => Promise<void>;

/** The body: chats show `text`. */
export interface Notification {
  text: string;
  topology: string;
  run: string;
  operation: string;
  state: RunDocument['state'];
  reason?: string;
  from?: string;
  to?: string;
  /** ISO 8601. Absent while the run waits for people. */
  endedAt?: string;
  /** What a person can do about it. */
  next?: string;
}

/** Environment variables and sender; by default those of the process. */
export interface NotifyOptions {
  environment?: NodeJS.ProcessEnv;
  send?: Send;
}

/** Makes the activity `tellOfEnd`. It uses the topology that the run sealed. */
export function endTeller(open: Environments, options: NotifyOptions = {}) {
  return async (run: RunReference): Promise<void> => {
    const { store, bundle } = await open.open(run);
    await notify(store, run.runId, bundle.topology, options);
  };
}

/**
 * Notifies each webhook that wants this kind of end and has not been notified yet, and records in the run's document
 * which were, and why the others were not. NotYetError if one could not be notified: the next attempt notifies only
 * that one.
 */
export async function notify(
  store: ControlStore,
  runId: string,
  { notify: targets, policies }: Topology,
  { environment = process.env, send = post }: NotifyOptions = {},
): Promise<void> {
  const run = await requireRun(store, runId);
  const { state, endedAt } = run;
  if (endedAt === undefined) return;
  const overtaken = state === 'failed' ? await overtakenBy(store, run) : undefined;
  const problems: string[] = [];
  for (const { webhookFrom, on } of targets) {
    if (!on.some((each) => each === state) || isTold(run, webhookFrom)) continue;
    const url = environment[webhookFrom];
    const timeoutMs = toSeconds(policies.requestTimeout) * 1000;
    const problem =
      url === undefined || url === ''
        ? `the variable ${webhookFrom} is not set where the worker runs`
        : await trySend(() => send(url, bodyOf(run, endedAt, overtaken), timeoutMs));
    const outcome = { of: endedAt, ...(problem === undefined ? {} : { problem }) };
    await changeRun(store, runId, ({ notified }) => ({ notified: { ...notified, [webhookFrom]: outcome } }));
    if (problem !== undefined) problems.push(`the webhook of ${webhookFrom}: ${problem}`);
  }
  if (problems.length === 0) return;
  throw new UnderstudyError('NotYetError', `not told how run "${runId}" ended: ${problems.join('; ')}`, {
    next: 'Set the variable for the common workers to a webhook that takes the message; it is tried again.',
  });
}

/**
 * Tells each webhook that wants to know that a run waits for people. Returns why one could not be told: the step
 * that asks shows it, and goes on waiting.
 */
export async function tellOfWaiting(
  run: RunDocument,
  { notify: targets, policies }: Topology,
  { waits, next }: { waits: string; next: string },
  { environment = process.env, send = post }: NotifyOptions = {},
): Promise<string[]> {
  const { topology, runId, operation, from, to } = run;
  const body: Notification = {
    text: `Understudy, ${topology}: ${describeRun({ ...run, state: 'waiting', stateReason: waits })}\n${next}`,
    topology,
    run: runId,
    operation,
    state: 'waiting',
    reason: waits,
    ...(from === undefined ? {} : { from }),
    ...(to === undefined ? {} : { to }),
    next,
  };
  const timeoutMs = toSeconds(policies.requestTimeout) * 1000;
  const problems: string[] = [];
  for (const { webhookFrom } of targets.filter(({ on }) => on.includes('waiting'))) {
    const url = environment[webhookFrom];
    const problem =
      url === undefined || url === ''
        ? `the variable ${webhookFrom} is not set where the worker runs`
        : await trySend(() => send(url, body, timeoutMs));
    if (problem !== undefined) problems.push(`the webhook of ${webhookFrom} was not told: ${problem}`);
  }
  return problems;
}

function isTold({ endedAt, notified }: RunDocument, webhookFrom: string): boolean {
  const told = notified?.[webhookFrom];
  return told !== undefined && told.of === endedAt && told.problem === undefined;
}

function bodyOf(run: RunDocument, endedAt: string, overtaken: Overtaken | undefined): Notification {
  const { topology, runId, operation, state, stateReason, from, to } = run;
  const next = state === 'failed' ? howToEnd(run, overtaken) : undefined;
  return {
    text: `Understudy, ${topology}: ${describeRun(run)}${next === undefined ? '' : `\n${next}`}`,
    topology,
    run: runId,
    operation,
    state,
    ...(stateReason === undefined ? {} : { reason: stateReason }),
    ...(from === undefined ? {} : { from }),
    ...(to === undefined ? {} : { to }),
    endedAt,
    ...(next === undefined ? {} : { next }),
  };
}

/** Returns why the webhook did not accept it. */
async function trySend(send: () => Promise<void>): Promise<string | undefined> {
  try {
    await send();
    return undefined;
  } catch (error) {
    return messageOf((error as Error).cause ?? error);
  }
}

/** No error has the address in its text. That of `fetch` would, if the address has a user or a password in it. */
async function post(url: string, body: Notification, timeoutMs: number): Promise<void> {
  if (!URL.canParse(url)) throw new Error('its address is no URL');
  const { username, password } = new URL(url);
  if (username !== '' || password !== '') throw new Error('its address has a user or a password in it');
  const answer = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
    signal: AbortSignal.timeout(timeoutMs),
  });
  await answer.body?.cancel();
  if (!answer.ok) throw new Error(`HTTP ${answer.status}`);
}
