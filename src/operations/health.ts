/**
 * Is a region healthy? Checks what a failover would leave: the workspace's control plane, its storage, and the public
 * addresses of what it serves. Only signs of a lost region count against it (no answer, a failing server, a probe that
 * returns something else than declared); a refused check is `unknown`. The results are stored, so that a report can say
 * since when the region has been out, and how that is known.
 */
import { z } from 'zod';
import { apiVersions } from '../azure/azure.ts';
import { azureError, isOutage } from '../azure/errors.ts';
import { documentKind } from '../control-store/document.ts';
import { readPointerIfAny } from '../control-store/region-pointer.ts';
import type { ControlStore } from '../control-store/store.ts';
import { isUnderstudyError, messageOf, UnderstudyError } from '../errors/error.ts';
import { serves } from '../topology/pointer.ts';
import { declaredActive, sideOf, workspaceId } from '../topology/sides.ts';
import { toSeconds } from '../topology/duration.ts';
import type { Topology } from '../topology/topology.ts';
import { sendProbe } from '../traffic/probe.ts';
import type { Looking } from './sharing.ts';

/** One check of a region. `unknown`: it could not be made, and the detail says why. */
const Check = z.object({ what: z.string(), state: z.enum(['ok', 'failed', 'unknown']), detail: z.string() });
export type Check = z.infer<typeof Check>;
export type CheckState = Check['state'];

/** A region. Unhealthy if any check failed; unknown if none failed, and not all could be made. */
export const Health = z.object({
  region: z.string(),
  state: z.enum(['healthy', 'unhealthy', 'unknown']),
  checks: z.array(Check),
});
export type Health = z.infer<typeof Health>;

const SeenHealth = z.strictObject({
  lastHealthyAt: z.string().optional(),
  /** The first failed check since then. */
  firstUnhealthyAt: z.string().optional(),
});
type SeenHealth = z.infer<typeof SeenHealth>;

const healthDocuments = documentKind('health of a region', 1, SeenHealth);
const nameOf = (region: string) => `health/${region}.json`;

/**
 * Errors: AzureUnavailable of the control store; ControlStoreError if the stored results cannot be read. What is wrong
 * with the region is in the result.
 */
export async function checkHealth(session: Looking, region: string): Promise<Health> {
  const [ofRegion, ofProbes] = await Promise.all([checkRegion(session, region), checkProbes(session, region)]);
  const checks = [...ofRegion, ...ofProbes];
  const health: Health = { region, state: overall(checks), checks };
  await remember(session.store, health, new Date());
  return health;
}

function overall(checks: readonly Check[]): Health['state'] {
  if (checks.some(({ state }) => state === 'failed')) return 'unhealthy';
  return checks.every(({ state }) => state === 'ok') ? 'healthy' : 'unknown';
}

/** PreconditionError: the region is healthy, or may be. Failing over all the same takes a person's explicit option. */
export function requireOutage({ region, state, checks }: Health): void {
  if (state === 'unhealthy') return;
  if (state === 'healthy') {
    throw new UnderstudyError(
      'PreconditionError',
      `${region} is healthy: a failover would lose what it did since the last recovery point`,
      { next: 'If you mean it all the same: --even-if-healthy.' },
    );
  }
  const why = checks.filter((each) => each.state === 'unknown').map(({ what, detail }) => `${what}: ${detail}`);
  throw new UnderstudyError('PreconditionError', `cannot tell whether ${region} is out: ${why.join('; ')}`, {
    next: 'Fix what is refused, and try again. If you know that it is out: --even-if-healthy, and --outage-began TIME.',
  });
}

/** PreconditionError: a region that is to be written to does not answer. One whose state is unknown is tried. */
export function requireAnswering({ region, state, checks }: Health): void {
  if (state !== 'unhealthy') return;
  const why = checks.filter((each) => each.state === 'failed').map(({ what, detail }) => `${what}: ${detail}`);
  throw new UnderstudyError('PreconditionError', `${region} does not answer yet: ${why.join('; ')}`, {
    next: 'Try again once it does.',
  });
}

/** PreconditionError: a planned move needs both regions, and this one does not answer, or not to everything. */
export function requireHealthy({ region, state, checks }: Health): void {
  if (state === 'healthy') return;
  const why = checks.filter((each) => each.state !== 'ok').map(({ what, detail }) => `${what}: ${detail}`);
  throw new UnderstudyError(
    'PreconditionError',
    `a switchover needs both regions, and ${region} is ${state}: ${why.join('; ')}`,
    { next: 'Wait until it answers, or, if the active region is out, move without it: understudy failover.' },
  );
}

async function checkRegion({ azure, topology }: Looking, region: string): Promise<Check[]> {
  const id = workspaceId(sideOf(topology, region).workspace);
  let storage: string | undefined;
  const workspace = await check(
    'workspace',
    async () => {
      const found = await azure.arm.get(id, apiVersions.machineLearning);
      const { storageAccount, provisioningState } = found.properties;
      if (typeof storageAccount === 'string') storage = storageAccount;
      return `${found.name} answers: ${typeof provisioningState === 'string' ? provisioningState : 'no state'}`;
    },
    `GET ${id}`,
  );
  if (storage === undefined)
    return [
      workspace,
      { what: 'storage', state: 'unknown', detail: 'the workspace, which names its account, does not say' },
    ];
  const account = storage;
  const timeoutMs = toSeconds(topology.policies.requestTimeout) * 1000;
  const blobs = await check('storage', async () => {
    const { name, service } = await azure.blobAccount(account);
    try {
      await service.getProperties({ abortSignal: AbortSignal.timeout(timeoutMs) });
    } catch (error) {
      throw azureError(`blob service of ${name}`, error);
    }
    return `${name} answers`;
  });
  return [workspace, blobs];
}

/** Through the public addresses of the classes that the region serves: what its clients see. */
async function checkProbes({ topology, store }: Looking, region: string): Promise<Check[]> {
  const pointer = (await readPointerIfAny(store))?.value;
  const isServedHere = (unit: string) =>
    pointer ? serves(pointer, unit, region) : declaredActive(topology) === region;
  const timeoutMs = toSeconds(topology.policies.requestTimeout) * 1000;
  return Promise.all(
    topology.probes
      .filter((probe) => isServedHere(probe.class))
      .map((probe) => check(`public probe ${probe.http}`, () => answerOf(probe, timeoutMs), `probe ${probe.http}`)),
  );
}

async function answerOf(
  { http, method, body, expect }: Topology['probes'][number],
  timeoutMs: number,
): Promise<string> {
  const content =
    body === undefined ? {} : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } };
  const request = { url: http, method, expect, ...content };
  const { status } = await sendProbe(request, timeoutMs, AbortSignal.timeout(timeoutMs)).catch((error: unknown) => {
    throw azureError(`probe ${http}`, error);
  });
  if (status === expect) return `answers ${status}`;
  throw new UnderstudyError('AzureUnavailable', `expected ${expect}, got ${status}`);
}

async function check(what: string, work: () => Promise<string>, asked = what): Promise<Check> {
  try {
    return { what, state: 'ok', detail: await work() };
  } catch (error) {
    if (!isUnderstudyError(error)) throw error;
    // Removes the repetition of what was requested.
    const detail = messageOf(error).replace(`${asked}: `, '');
    return { what, state: isOutage(error) ? 'failed' : 'unknown', detail };
  }
}

/** An unreadable document is no reason to block a failover: it is replaced by what this check saw. */
async function remember(store: ControlStore, health: Health, now: Date): Promise<void> {
  // An unknown state is evidence of neither health nor an outage.
  if (health.state === 'unknown') return;
  const name = nameOf(health.region);
  const next = (before: SeenHealth | undefined): SeenHealth =>
    health.state === 'healthy'
      ? { lastHealthyAt: now.toISOString() }
      : { ...before, firstUnhealthyAt: before?.firstUnhealthyAt ?? now.toISOString() };
  try {
    for (;;) {
      const found = await healthDocuments.read(store, name);
      if (await healthDocuments.swap(store, name, next(found?.value), found?.etag)) return;
    }
  } catch (error) {
    if (!isUnderstudyError(error, 'ControlStoreError')) throw error;
    await healthDocuments.begin(store, name, next(undefined));
  }
}

/** What the newest check recorded. Errors: those of the control store. */
export async function seenHealth(store: ControlStore, region: string): Promise<SeenHealth> {
  return (await healthDocuments.read(store, nameOf(region)))?.value ?? {};
}
