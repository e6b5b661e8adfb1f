/**
 * The state of a topology: who writes and serves, whether regions answer, what a failover could restore, what runs,
 * what is owed. Data only.
 */
import type { Client } from '@temporalio/client';
import { knownDamage, type KnownDamage } from '../recovery-point/damage.ts';
import { listRecoveryPoints, type RecoveryPointList } from '../recovery-point/list-points.ts';
import { openRecoveryPoint } from '../recovery-point/recovery-point.ts';
import { findRunning, type RunHandle } from '../client/runs.ts';
import { readSigns } from '../client/silence.ts';
import { pollersOf } from '../client/workers.ts';
import { readPointerIfAny, traceOfUse } from '../control-store/region-pointer.ts';
import type { ControlStore } from '../control-store/store.ts';
import { isUnderstudyError, messageOf, type UnderstudyError } from '../errors/error.ts';
import { unprotected } from '../fence/departures.ts';
import { listDebts } from '../fence/old-side.ts';
import { operationNames, rowOf } from '../plan/operations.ts';
import { hostQueue, taskQueue } from '../plan/queues.ts';
import { isOver } from '../plan/run-states.ts';
import { bundles } from '../run/bundle.ts';
import { findNewestRun, listOpenRuns, listRuns, readRun, type RunList } from '../run/journal.ts';
import { findOpenRun, type OpenRun } from '../run/lease.ts';
import { overtakenBy } from '../run/overtaken.ts';
import type { RunDocument } from '../run/run-document.ts';
import type { RegionPointer } from '../topology/pointer.ts';
import { stillStopped } from '../fence/stop-intake.ts';
import { declaredActive, otherRegion, sideOf } from '../topology/sides.ts';
import { checkHealth } from './health.ts';
import { protectionOf } from './protection.ts';
import { readRegistered, type Registered } from './register.ts';
import type { Session } from './session.ts';
import { sharedNow } from './sharing.ts';
import { statusFindings } from './status-findings.ts';
import type { Status } from './documents/status.ts';
import type { StatusInput } from './status-shape.ts';

/** Without `client`, nothing about Temporal is included. Errors: those of the control store. */
export async function readStatus(session: Session, client?: Client, now = new Date()): Promise<Status> {
  const { store, topology } = session;
  const pointer = (await readPointerIfAny(store))?.value;
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
  const journal = { recent: await listRuns(store, { limit: recentRuns, now }), damaged, now };
  damaged.push(...journal.recent.damaged.map(({ error }) => error));
  const runs = await unfinished(session, { ...journal, open }, client);
  const replicate = await newestReplicate(store, journal);
  const move = await newestMove(store, journal, pointer);
  const workers = client ? await workersOf(session, client) : undefined;
  const registered = await readRegistered(store);
  const differs = registered ? await differsFrom(session, registered) : undefined;
  const left = writer === undefined ? undefined : await leftOf(store, otherRegion(topology, writer), damaged);
  const stopped =
    writer === undefined || open
      ? undefined
      : await unlessDamaged(damaged, () => stillStopped(session, sideOf(topology, writer)));
  const status = {
    topology: topology.name,
    ...(writer === undefined ? {} : { writer }),
    ...(pointer ? { epoch: pointer.epoch.number, serving: pointer.serving } : {}),
    regions,
    ...(points.sealed[0] ? { recoveryPoint: points.sealed[0] } : {}),
    protection: protectionOf({ topology, writer, points, pointer, regions, left, now }),
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
  const overtaken = replicate?.state === 'failed' ? await overtakenBy(store, replicate) : undefined;
  const found = { status, points, pointer, lost, open, left, stopped, overtaken, damaged, session, now };
  return { ...status, findings: statusFindings(found) };
}

/** How many of the newest runs are read; of the older ones, only those that are not over. */
const recentRuns = 16;

interface Journal {
  recent: RunList;
  /** Errors of documents that cannot be read: this adds to them. */
  damaged: UnderstudyError[];
  now: Date;
}

const isReplicateThatIsOver = ({ operation, state }: RunDocument) => operation === 'replicate' && isOver(state);

async function newestReplicate(
  store: ControlStore,
  { recent, damaged, now }: Journal,
): Promise<RunDocument | undefined> {
  return (
    recent.runs.find(isReplicateThatIsOver) ??
    (await unlessDamaged(damaged, () => findNewestRun(store, isReplicateThatIsOver, now)))
  );
}

/** The newest move that has ended: among the newest runs, or the one that took the region pointer. */
async function newestMove(
  store: ControlStore,
  { recent, damaged }: Journal,
  pointer: RegionPointer | undefined,
): Promise<RunDocument | undefined> {
  const hasEnded = ({ operation, endedAt }: RunDocument) => rowOf(operation).movesWriter && endedAt !== undefined;
  const found = recent.runs.find(hasEnded);
  const takenBy = pointer?.takenBy?.run;
  if (found || takenBy === undefined) return found;
  const run = await unlessDamaged(damaged, () => readRun(store, takenBy));
  return run && hasEnded(run) ? run : undefined;
}

/** What is not over, and a move that has failed, since it is still open. Newest first. */
async function unfinished(
  session: Session,
  { recent, damaged, open }: Omit<Journal, 'now'> & { open: OpenRun | undefined },
  client?: Client,
): Promise<Status['runs']> {
  const { store, topology } = session;
  const executed = new Map<string, RunHandle>();
  for (const operation of client ? operationNames : []) {
    const running = client && (await findRunning(client, { topology: topology.name, operation }));
    if (running) executed.set(running.runId, running.handle);
  }
  const listed = await listOpenRuns(store, [...executed.keys()]);
  damaged.push(...listed.damaged.map(({ error }) => error));
  const found = [...recent.runs.filter(({ state }) => !isOver(state)), ...listed.runs];
  if (open?.run) found.push(open.run);
  const byId = new Map(found.map((run) => [run.runId, run]));
  const newestFirst = [...byId.values()].toSorted((a, b) => (a.runId < b.runId ? 1 : -1));
  if (!client) return newestFirst;
  return Promise.all(
    newestFirst.map(async (run) => {
      const handle = executed.get(run.runId);
      return { ...run, executed: handle !== undefined, ...(handle ? await readSigns(handle, new Date()) : {}) };
    }),
  );
}

/**
 * The newest that is whole with its parts, as a failover would open it, and the damaged ones after it: the seal alone
 * does not cover the parts.
 */
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

/** `unread`: a document that says it is damaged, so that nobody knows whether the region is a standby. */
async function leftOf(store: ControlStore, region: string, damaged: UnderstudyError[]): Promise<StatusInput['left']> {
  const read = await unlessDamaged(damaged, async () => ({ left: await unprotected(store, region) }));
  return read ? read.left : 'unread';
}

/** A document that cannot be read becomes a finding, and does not hide the rest. */
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
