/**
 * How the topology stands: who writes and serves, whether regions answer, what a failover could restore, what runs, what is owed. Data
 * only; each finding that a person should act on says how bad it is.
 */
import type { Client } from '@temporalio/client';
import { listRecoveryPoints, type RecoveryPointList } from '../artifacts/recovery-point.ts';
import { pollersOf } from '../client/workers.ts';
import { findRunning } from '../client/runs.ts';
import { peekPointer, traceOfUse } from '../control-store/region-pointer.ts';
import { listDebts, type KeptDebt } from '../fence/old-side.ts';
import { operationNames } from '../plan/operations.ts';
import { hostQueue, taskQueue } from '../plan/queues.ts';
import { isOver } from '../plan/run-states.ts';
import { bundles } from '../run/bundle.ts';
import { listRuns } from '../run/journal.ts';
import { findOpenRun, type OpenRun } from '../run/lease.ts';
import type { RunDocument } from '../run/run-document.ts';
import { showDuration, toSeconds } from '../topology/duration.ts';
import type { RegionPointer } from '../topology/pointer.ts';
import { declaredActive } from '../topology/sides.ts';
import { resourceClasses } from '../topology/words.ts';
import { isUnderstudyError } from '../errors/error.ts';
import { checkHealth, type Health } from './health.ts';
import { readRegistered, type Registered } from './register.ts';
import type { Session } from './session.ts';
import { describeRun, howToEnd } from './start-operation.ts';

/** `critical`: a failover now would fail, or something is broken. `warning`: a person should see to it. */
export type Severity = 'warning' | 'critical';

export interface Finding {
  severity: Severity;
  /** What it is about, where that has a word of its own. */
  kind?: 'owed' | 'damaged' | 'failed';
  what: string;
  next?: string;
}

export interface Status {
  topology: string;
  writer: string;
  epoch?: number;
  /** unit → region → weight; absent until a run has begun. */
  serving?: RegionPointer['serving'];
  regions: Health[];
  recoveryPoint?: RecoveryPointList['sealed'][number];
  unsealed: number;
  /** What runs, waits or has failed, as the journal has it; and whether this Temporal executes it. */
  runs: (RunDocument & { executed?: boolean })[];
  owed: KeptDebt[];
  /** Absent where Temporal does not answer. */
  workers?: { queue: string; host?: string; polling: number }[];
  registered?: Registered;
  /** The file is other than what is registered; absent where its templates cannot be read. */
  differsFromRegistered?: boolean;
  findings: Finding[];
}

/** The worst severity decides; documented with the exit codes. */
export function worstOf({ findings }: Pick<Status, 'findings'>): Severity | undefined {
  if (findings.some(({ severity }) => severity === 'critical')) return 'critical';
  return findings.length > 0 ? 'warning' : undefined;
}

/** Without `client` nothing of Temporal is told. Errors: those of the control store. */
export async function readStatus(session: Session, client?: Client, now = new Date()): Promise<Status> {
  const { store, topology } = session;
  const pointer = (await peekPointer(store))?.value;
  const writer = pointer?.writer ?? declaredActive(topology);
  const regions = await Promise.all(
    Object.keys(topology.regions).map((region) => checkHealth(session, region)),
  );
  const points = await listRecoveryPoints(store, { region: writer, limit: 1 });
  const owed = await listDebts(store);
  const open = await findOpenRun(store, now);
  const runs = await unfinished(session, open, client);
  const workers = client ? await workersOf(session, client) : undefined;
  const registered = await readRegistered(store);
  const differs = registered ? await differsFrom(session, registered) : undefined;
  const status = {
    topology: topology.name,
    writer,
    ...(pointer ? { epoch: pointer.epoch.number, serving: pointer.serving } : {}),
    regions,
    ...(points.sealed[0] ? { recoveryPoint: points.sealed[0] } : {}),
    unsealed: points.unsealed.length,
    runs,
    owed,
    ...(workers ? { workers } : {}),
    ...(registered ? { registered } : {}),
    ...(differs === undefined ? {} : { differsFromRegistered: differs }),
  };
  const lost = pointer ? undefined : await traceOfUse(store);
  return { ...status, findings: findingsOf({ status, points, pointer, lost, open, session, now }) };
}

interface Found {
  status: Omit<Status, 'findings'>;
  points: RecoveryPointList;
  pointer: RegionPointer | undefined;
  /** What shows that there was a pointer. */
  lost: string | undefined;
  open: OpenRun | undefined;
  session: Session;
  now: Date;
}

function findingsOf(found: Found): Finding[] {
  return [
    ...ofPointer(found),
    ...ofRegions(found),
    ...ofRecoveryPoints(found),
    ...ofRuns(found),
    ...found.status.owed.map(({ what, owedSince, reason }): Finding => ({
      severity: 'warning',
      kind: 'owed',
      what: `${what}, since ${owedSince}: ${reason.replace(/^[A-Z]+ \/subscriptions\/\S+: /, '')}`,
      next: '"understudy replicate" pays it as soon as the region answers.',
    })),
    ...ofWorkers(found),
    ...(found.status.differsFromRegistered === true
      ? [
          {
            severity: 'warning' as const,
            what: 'this topology or a template of it is other than what is registered',
            next: 'If it is what runs should use: "understudy register".',
          },
        ]
      : []),
  ];
}

function ofPointer({ lost }: Found): Finding[] {
  if (lost === undefined) return [];
  return [
    {
      severity: 'critical',
      what: `the region pointer is missing, and the control store has been used (it has "${lost}"): nobody can say which region may be written`,
      next: 'Make it again from the journal: understudy restore-pointer --reason "…".',
    },
  ];
}

/** A standby that does not answer keeps nobody from work, but from moving. */
function ofRegions({ status }: Found): Finding[] {
  return status.regions.flatMap(({ region, state, checks }): Finding[] => {
    if (state === 'healthy') return [];
    const bad = checks
      .filter((check) => check.state !== 'ok')
      .map(({ what, detail }) => `${what}: ${detail}`);
    const role = region === status.writer ? 'the active region' : 'the standby';
    return [
      {
        severity: state === 'unhealthy' ? 'critical' : 'warning',
        what: `${role}, ${region}, is ${state}: ${bad.join('; ')}`,
      },
    ];
  });
}

function ofRecoveryPoints({ points, pointer, status, session, now }: Found): Finding[] {
  const take = `Take one with "understudy replicate" while ${status.writer} answers.`;
  const findings = points.damaged.map(({ id, reason }): Finding => ({
    severity: 'critical',
    kind: 'damaged',
    what: `recovery point ${id} is damaged: ${reason}`,
    next: take,
  }));
  const newest = points.sealed[0];
  if (!newest)
    return [
      ...findings,
      {
        severity: 'critical',
        what: `no recovery point of ${status.writer}: nothing could be restored`,
        next: take,
      },
    ];
  if (pointer && newest.epoch < pointer.epoch.number)
    findings.push({
      severity: 'warning',
      what: 'the newest recovery point is from before the last move',
      next: take,
    });
  const age = now.getTime() - Date.parse(newest.ref.startedAt);
  const missed = resourceClasses.filter((name) => {
    const rpo = session.topology.objectives[name]?.rpo;
    return rpo !== undefined && toSeconds(rpo) * 1000 < age;
  });
  if (missed.length > 0)
    findings.push({
      severity: 'warning',
      what: `the newest recovery point is ${showDuration(age)} old: more than the objective of ${missed.join(', ')} allows`,
      next: take,
    });
  return findings;
}

function ofRuns({ status, open }: Found): Finding[] {
  const starting: Finding[] =
    open && !open.run ? [{ severity: 'warning', what: `run "${open.runId}" is being started` }] : [];
  return [
    ...starting,
    ...status.runs.flatMap((run): Finding[] => {
      if (run.state === 'failed')
        return [
          { severity: 'critical', kind: 'failed', what: `run ${describeRun(run)}`, next: howToEnd(run) },
        ];
      if (run.executed === false)
        return [
          {
            severity: 'critical',
            what: `run ${describeRun(run)}, and this Temporal does not execute it`,
            next: `Take it up: "understudy retry ${run.runId}".`,
          },
        ];
      return run.paused
        ? [{ severity: 'warning', what: `run ${describeRun(run)}`, next: 'understudy unpause' }]
        : [];
    }),
  ];
}

function ofWorkers({ status }: Found): Finding[] {
  if (!status.workers)
    return [
      {
        severity: 'warning',
        what: 'Temporal does not answer: nothing can be started, and nobody can say what is executed',
      },
    ];
  return status.workers
    .filter(({ polling }) => polling === 0)
    .map(({ host }): Finding => ({
      severity: host === undefined ? 'critical' : 'warning',
      what:
        host === undefined
          ? 'no worker polls: no run goes on'
          : `no worker polls for host ${host}: its config files cannot be rewritten`,
      next:
        host === undefined
          ? 'Start one: understudy worker'
          : `Start one there: understudy worker --host ${host}`,
    }));
}

/** What is not over, and a move that has failed: it is open. */
async function unfinished(
  session: Session,
  open: OpenRun | undefined,
  client?: Client,
): Promise<Status['runs']> {
  const runs = (await listRuns(session.store)).filter(
    ({ runId, state }) => !isOver(state) || runId === open?.runId,
  );
  if (!client) return runs;
  const executed = new Set<string>();
  for (const operation of operationNames) {
    const running = await findRunning(client, { topology: session.topology.name, operation });
    if (running) executed.add(running.runId);
  }
  return runs.map((run) => ({ ...run, executed: executed.has(run.runId) }));
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
