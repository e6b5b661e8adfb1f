/**
 * How the topology stands: who writes and serves, whether regions answer, what a failover could restore, what runs, what is owed. Data
 * only.
 */
import type { Client } from '@temporalio/client';
import { knownDamage, type KnownDamage } from '../recovery-point/damage.ts';
import {
  listRecoveryPoints,
  openRecoveryPoint,
  type RecoveryPointList,
} from '../recovery-point/recovery-point.ts';
import { findRunning } from '../client/runs.ts';
import { pollersOf } from '../client/workers.ts';
import { peekPointer, traceOfUse } from '../control-store/region-pointer.ts';
import type { ControlStore } from '../control-store/store.ts';
import { isUnderstudyError, messageOf, type UnderstudyError } from '../errors/error.ts';
import { listDebts } from '../fence/old-side.ts';
import { operationNames } from '../plan/operations.ts';
import { hostQueue, taskQueue } from '../plan/queues.ts';
import { isOver } from '../plan/run-states.ts';
import { bundles } from '../run/bundle.ts';
import { listRuns } from '../run/journal.ts';
import { findOpenRun, type OpenRun } from '../run/lease.ts';
import type { RunDocument } from '../run/run-document.ts';
import { declaredActive } from '../topology/sides.ts';
import { checkHealth } from './health.ts';
import { readRegistered, type Registered } from './register.ts';
import type { Session } from './session.ts';
import { sharedNow } from './sharing.ts';
import { findingsOf, type Status } from './status-findings.ts';

/** Without `client` nothing of Temporal is told. Errors: those of the control store. */
export async function readStatus(session: Session, client?: Client, now = new Date()): Promise<Status> {
  const { store, topology } = session;
  const pointer = (await peekPointer(store))?.value;
  const lost = pointer ? undefined : await traceOfUse(store);
  const writer = pointer?.writer ?? (lost === undefined ? declaredActive(topology) : undefined);
  const [regions, sharing] = await Promise.all([
    Promise.all(Object.keys(topology.regions).map((region) => checkHealth(session, region))),
    sharedNow(session, writer ?? declaredActive(topology), now),
  ]);
  const damage = await damageKnownBy(store);
  const points = await pointsOf(store, writer);
  const damaged: UnderstudyError[] = [];
  const owed = await listDebts(store, { damaged: (error) => damaged.push(error) });
  const open = await unlessDamaged(damaged, () => findOpenRun(store, now));
  const { runs: all, damaged: damagedRuns } = await listRuns(store);
  damaged.push(...damagedRuns.map(({ error }) => error));
  const runs = await unfinished(session, all, open, client);
  const replicate = all.find(({ operation, state }) => operation === 'replicate' && isOver(state));
  const move = all.find(({ operation, endedAt }) => operation !== 'replicate' && endedAt !== undefined);
  const workers = client ? await workersOf(session, client) : undefined;
  const registered = await readRegistered(store);
  const differs = registered ? await differsFrom(session, registered) : undefined;
  const status = {
    topology: topology.name,
    ...(writer === undefined ? {} : { writer }),
    ...(pointer ? { epoch: pointer.epoch.number, serving: pointer.serving } : {}),
    regions,
    ...(points.sealed[0] ? { recoveryPoint: points.sealed[0] } : {}),
    unsealed: points.unsealed.length,
    sharing,
    ...(damage ? { damage } : {}),
    runs,
    ...(replicate ? { newestReplicate: replicate } : {}),
    ...(move ? { newestMove: move } : {}),
    owed,
    ...(workers ? { workers } : {}),
    ...(registered ? { registered } : {}),
    ...(differs === undefined ? {} : { differsFromRegistered: differs }),
  };
  return { ...status, findings: findingsOf({ status, points, pointer, lost, open, damaged, session, now }) };
}

/** What is not over, and a move that has failed: it is open. */
async function unfinished(
  session: Session,
  all: readonly RunDocument[],
  open: OpenRun | undefined,
  client?: Client,
): Promise<Status['runs']> {
  const runs = all.filter(({ runId, state }) => !isOver(state) || runId === open?.runId);
  if (!client) return runs;
  const executed = new Set<string>();
  for (const operation of operationNames) {
    const running = await findRunning(client, { topology: session.topology.name, operation });
    if (running) executed.add(running.runId);
  }
  return runs.map((run) => ({ ...run, executed: executed.has(run.runId) }));
}

/** The newest that is whole with its parts, as a failover would open it, and what is damaged after it: the seal alone says nothing of parts. */
async function pointsOf(store: ControlStore, region: string | undefined): Promise<RecoveryPointList> {
  if (region === undefined) return { sealed: [], damaged: [], unsealed: [] };
  const points = await listRecoveryPoints(store, { region, limit: 2 });
  const [newest, ...before] = points.sealed;
  if (!newest) return points;
  try {
    await openRecoveryPoint(store, newest.ref.id);
    return points;
  } catch (error) {
    if (!isUnderstudyError(error, 'RecoveryPointError')) throw error;
    const damaged = [...points.damaged, { id: newest.ref.id, reason: messageOf(error) }];
    return { ...points, sealed: before, damaged };
  }
}

/** A document that cannot be read is a finding, and keeps nobody from the rest. */
async function unlessDamaged<T>(damaged: UnderstudyError[], read: () => Promise<T>): Promise<T | undefined> {
  try {
    return await read();
  } catch (error) {
    if (!isUnderstudyError(error, 'ControlStoreError')) throw error;
    damaged.push(error);
    return undefined;
  }
}

async function damageKnownBy(store: ControlStore): Promise<KnownDamage | undefined> {
  try {
    return await knownDamage(store);
  } catch (error) {
    if (!isUnderstudyError(error, 'ControlStoreError')) throw error;
    return undefined;
  }
}

async function workersOf({ topology }: Session, client: Client): Promise<NonNullable<Status['workers']>> {
  const hosts = [...new Set(topology.configs.map(({ host }) => host))];
  const queues = [{ queue: taskQueue }, ...hosts.map((host) => ({ queue: hostQueue(host), host }))];
  return Promise.all(queues.map(async (each) => ({ ...each, polling: await pollersOf(client, each.queue) })));
}

async function differsFrom(session: Session, { bundle }: Registered): Promise<boolean | undefined> {
  try {
    return bundles.digest(await session.bundle()) !== bundle;
  } catch (error) {
    if (!isUnderstudyError(error, 'TopologyError')) throw error;
    return undefined;
  }
}
