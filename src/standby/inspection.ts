/** A look at something that may not answer: what it said, or why it said nothing, and what that means for a move. */
import type { SealedManifest } from '../recovery-point/manifest.ts';
import type { Azure } from '../azure/azure.ts';
import { azureError, isOutage } from '../azure/errors.ts';
import { isUnderstudyError, messageOf } from '../errors/error.ts';
import type { Side } from '../topology/sides.ts';
import type { Topology } from '../topology/topology.ts';
import type { StandbyFinding } from './findings.ts';

export interface InspectStandby {
  azure: Azure;
  topology: Topology;
  /** The side that is left; it may be dark, and is not asked. */
  from: Side;
  to: Side;
  /** Of the recovery point that is to be restored. */
  sealed: SealedManifest;
  /** A template makes the standby's workspace where there is none. */
  hasTemplate: boolean;
  /** The identity that asks is the one that carries the run out: what it is refused will be refused to the run. */
  asWorker: boolean;
  signal: AbortSignal;
}

/** What each look is given. */
export interface Look extends InspectStandby, AskOptions {}

export type Answer<T> =
  | { state: 'answered'; value: T }
  /** No answer, or a server that fails: what a lost region does. */
  | { state: 'silent'; why: string }
  | { state: 'missing'; why: string }
  | { state: 'refused'; why: string }
  /** Throttled, no token, a certificate that nobody here trusts: nothing is known of it. */
  | { state: 'unknown'; why: string };

export interface AskOptions {
  /** Of the caller: its end is an error. */
  signal: AbortSignal;
  /** When it is over, what has not answered counts as silent. */
  deadline: AbortSignal;
}

export async function ask<T>(
  { signal, deadline }: AskOptions,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<Answer<T>> {
  const end = AbortSignal.any([signal, deadline]);
  try {
    // Not everything that is asked can be told to stop: its answer, if it comes, is dropped.
    return { state: 'answered', value: await Promise.race([work(end), untilAborted(end)]) };
  } catch (error) {
    if (signal.aborted) throw error;
    if (deadline.aborted && !isUnderstudyError(error, 'AzureError'))
      return { state: 'silent', why: 'no answer in time' };
    if (!isUnderstudyError(error)) throw error;
    const why = messageOf(error);
    if (error.details.azure?.status === 404) return { state: 'missing', why };
    if (error.code === 'AzureError') return { state: 'refused', why };
    return { state: isOutage(error) ? 'silent' : 'unknown', why };
  }
}

function untilAborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    const fail = () => reject(new DOMException('aborted', 'AbortError'));
    if (signal.aborted) fail();
    else signal.addEventListener('abort', fail, { once: true });
  });
}

/** Of a secret that no vault has: anyone who may read the vault is told that it is not there. */
export const probe = 'understudy-probe';

/** Errors: those of Azure. Reading the account's key is part of it: the product reaches blobs by that. */
export async function reachBlobs(azure: Azure, id: string, signal: AbortSignal): Promise<void> {
  const { name, service } = await azure.blobAccount(id, { signal });
  try {
    await service.getProperties({ abortSignal: signal });
  } catch (error) {
    throw azureError(`blob service of ${name}`, error, signal.aborted);
  }
}

export type MakeFinding = (severity: StandbyFinding['severity'], what: string) => StandbyFinding;

export function findingOf({
  kind,
  name,
  classes,
  acceptable,
}: Pick<StandbyFinding, 'kind' | 'name' | 'classes' | 'acceptable'>): MakeFinding {
  const id = `${kind}:${name}`;
  return (severity, what) => ({ id, kind, name, classes, acceptable, severity, what });
}

/** What did not answer, or would not, where that alone says nothing of how it will answer the run. */
export function unlessAnswered(
  { asWorker }: Pick<Look, 'asWorker'>,
  answer: Exclude<Answer<unknown>, { state: 'answered' }>,
  finding: MakeFinding,
  what: string,
): StandbyFinding[] {
  switch (answer.state) {
    case 'silent':
    case 'unknown':
      return [finding('warning', `${what} does not answer now: ${answer.why}`)];
    case 'missing':
    case 'refused':
      return [finding(asWorker ? 'refused' : 'warning', `${what} refuses: ${answer.why}`)];
  }
}
