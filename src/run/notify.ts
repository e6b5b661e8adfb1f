/**
 * Tells whoever the topology names (`notify`) how a run ended: a POST to a webhook, once for each end of a run. Its address is a secret, and
 * so stands in the environment of the workers, and neither in the topology nor in the control store.
 */
import { isUnderstudyError, messageOf } from '../errors/error.ts';
import type { ControlStore } from '../control-store/store.ts';
import { toSeconds } from '../topology/duration.ts';
import type { Topology } from '../topology/topology.ts';
import { describeRun, howToEnd } from './describe-run.ts';
import type { Environments } from './environment.ts';
import { changeRun, requireRun } from './journal.ts';
import type { RunExecution } from './reference.ts';
import type { RunDocument } from './run-document.ts';

/** Sends a body; throws where it was not taken. */
export type Send = (url: string, body: Notification, timeoutMs: number) => Promise<void>;

/** The body: `text` is what chats show. */
export interface Notification {
  text: string;
  topology: string;
  run: string;
  operation: string;
  state: RunDocument['state'];
  reason?: string;
  from?: string;
  to?: string;
  /** ISO 8601. */
  endedAt: string;
  /** What a person can do about it. */
  next?: string;
}

export interface NotifyOptions {
  environment?: NodeJS.ProcessEnv;
  send?: Send;
}

const tries = 3;

/** By the topology that the run sealed; where that cannot be read, nobody knows whom to tell. Errors: what may pass. */
export async function tellOfEnd(open: Environments, run: RunExecution): Promise<void> {
  try {
    const { store, bundle } = await open.open(run);
    await notify(store, run.runId, bundle.topology);
  } catch (error) {
    if (!isUnderstudyError(error) || error.retryable) throw error;
  }
}

/** Nothing of it fails the run: whom nobody could tell is written down with the run, for `status` to show. Errors: those of the control store. */
export async function notify(
  store: ControlStore,
  runId: string,
  { notify: targets, policies }: Topology,
  { environment = process.env, send = post }: NotifyOptions = {},
): Promise<void> {
  const run = await requireRun(store, runId);
  const { state, endedAt } = run;
  if (endedAt === undefined) return;
  for (const { webhookFrom, on } of targets) {
    if (!on.some((each) => each === state) || run.notified?.[webhookFrom]?.of === endedAt) continue;
    const url = environment[webhookFrom];
    const timeoutMs = toSeconds(policies.requestTimeout) * 1000;
    const problem =
      url === undefined || url === ''
        ? `the variable ${webhookFrom} is not set where the worker runs`
        : await trySend(() => send(url, bodyOf(run, endedAt), timeoutMs));
    await changeRun(store, runId, ({ notified }) => ({
      notified: {
        ...notified,
        [webhookFrom]: { of: endedAt, ...(problem === undefined ? {} : { problem }) },
      },
    }));
  }
}

function bodyOf(run: RunDocument, endedAt: string): Notification {
  const { topology, runId, operation, state, stateReason, from, to } = run;
  const next = state === 'failed' ? howToEnd(run) : undefined;
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

/** Answers why it was not taken. */
async function trySend(send: () => Promise<void>): Promise<string | undefined> {
  let problem = '';
  for (let attempt = 1; attempt <= tries; attempt++) {
    try {
      await send();
      return undefined;
    } catch (error) {
      problem = messageOf((error as Error).cause ?? error);
    }
  }
  return `${problem} (${tries} times)`;
}

/** The address is not in what it says; that of `fetch` has one with a password in it. */
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
