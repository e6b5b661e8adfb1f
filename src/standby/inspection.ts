/** Asks a resource that may not answer, and tells what its response, or its silence, means for a failover. */
import type { SealedManifest } from '../recovery-point/manifest.ts';
import type { Azure } from '../azure/azure.ts';
import { azureError, isOutage } from '../azure/errors.ts';
import { isUnderstudyError, messageOf } from '../errors/error.ts';
import type { Side } from '../topology/sides.ts';
import type { Topology } from '../topology/topology.ts';
import type { StandbyFinding } from './findings.ts';

/** What to inspect. */
export interface InspectStandby {
  azure: Azure;
  topology: Topology;
  /** The side that is left. It may be down, and is not asked. */
  from: Side;
  to: Side;
  /** The manifest of the recovery point to restore. */
  sealed: SealedManifest;
  /** Whether a template creates the standby's workspace if there is none. */
  hasTemplate: boolean;
  /**
   * Whether the calling identity is the one that runs the plan: the run would be refused what this identity is refused.
   */
  asWorker: boolean;
  signal: AbortSignal;
}

/** Context of each check. */
export interface Look extends InspectStandby, AskOptions {}

/** The outcome of a request. */
export type Answer<T> =
  | { state: 'answered'; value: T }
  /** No response, or a server error: typical of a lost region. */
  | { state: 'silent'; why: string }
  | { state: 'missing'; why: string }
  | { state: 'refused'; why: string }
  /** Throttled, no token, or an untrusted certificate: nothing is known about the resource. */
  | { state: 'unknown'; why: string };

/** When to stop asking. */
export interface AskOptions {
  /** The caller's signal. If it is aborted, an error is thrown. */
  signal: AbortSignal;
  /** When this is aborted, whatever has not answered counts as silent. */
  deadline: AbortSignal;
}

/** Runs `work` and classifies its outcome. */
export async function answerOf<T>(
  { signal, deadline }: AskOptions,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<Answer<T>> {
  const end = AbortSignal.any([signal, deadline]);
  try {
    // Not everything can be aborted: a late response is dropped.
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

/** A secret name that no vault has. Anyone who may read the vault gets "not found". */
export const probe = 'understudy-probe';

/**
 * Reads the account's key, which Understudy uses to access blobs, and makes a request.
 * Errors: those of Azure.
 */
export async function reachBlobs(azure: Azure, id: string, signal: AbortSignal): Promise<void> {
  const { name, service } = await azure.blobAccount(id, { signal });
  try {
    await service.getProperties({ abortSignal: signal });
  } catch (error) {
    throw azureError(`blob service of ${name}`, error, signal.aborted);
  }
}

/** Makes a finding about one resource. */
export type MakeFinding = (severity: StandbyFinding['severity'], what: string) => StandbyFinding;

/** Returns a function that makes findings with a fixed name and classes. */
export function findingOf({
  kind,
  name,
  classes,
  acceptable,
}: Pick<StandbyFinding, 'kind' | 'name' | 'classes' | 'acceptable'>): MakeFinding {
  const id = `${kind}:${name}`;
  return (severity, what) => ({ id, kind, name, classes, acceptable, severity, what });
}

/**
 * Returns findings for a resource that did not answer, or refused. These outcomes do not tell how it will answer the
 * run.
 */
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
