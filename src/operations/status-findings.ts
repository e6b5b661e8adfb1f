/** What `status` finds that a person should act on, and how bad it is. Pure. */
import { showDamagedPoint, showDamagedReplica, type KnownDamage } from '../recovery-point/damage.ts';
import type { RecoveryPointList } from '../recovery-point/recovery-point.ts';
import type { UnderstudyError } from '../errors/error.ts';
import type { KeptDebt } from '../fence/old-side.ts';
import { describeRun, howToEnd } from '../run/describe-run.ts';
import type { OpenRun } from '../run/lease.ts';
import type { RunDocument } from '../run/run-document.ts';
import { showDuration, toSeconds } from '../topology/duration.ts';
import type { RegionPointer } from '../topology/pointer.ts';
import { resourceClasses } from '../topology/words.ts';
import type { Health } from './health.ts';
import type { Registered } from './register.ts';
import type { Session } from './session.ts';
import type { SharedNow } from './sharing.ts';

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
  /** Absent where the region pointer is lost: nobody can say. */
  writer?: string;
  epoch?: number;
  /** unit → region → weight; absent until a run has begun. */
  serving?: RegionPointer['serving'];
  regions: Health[];
  recoveryPoint?: RecoveryPointList['sealed'][number];
  unsealed: number;
  /** What both workspaces use. */
  sharing: SharedNow;
  /** What scrubbing has found damaged; absent where its ledger cannot be read. */
  damage?: KnownDamage;
  /** What runs, waits or has failed, as the journal has it; and whether this Temporal executes it. */
  runs: (RunDocument & { executed?: boolean })[];
  /** Of those that are over. */
  newestReplicate?: RunDocument;
  /** The newest run of another operation that has ended. */
  newestMove?: RunDocument;
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

/** What the findings of `status` are made from. */
interface Found {
  status: Omit<Status, 'findings'>;
  points: RecoveryPointList;
  pointer: RegionPointer | undefined;
  /** What shows that there was a pointer. */
  lost: string | undefined;
  open: OpenRun | undefined;
  /** Of documents that could not be read: runs, the run lease. */
  damaged: readonly UnderstudyError[];
  session: Session;
  now: Date;
}

export function findingsOf(found: Found): Finding[] {
  return [
    ...ofPointer(found),
    ...ofRegions(found),
    ...ofSharing(found),
    ...ofRecoveryPoints(found),
    ...ofDamage(found),
    ...ofDocuments(found),
    ...ofRuns(found),
    ...ofDebts(found),
    ...ofWorkers(found),
    ...ofRegistered(found),
  ];
}

/** What the fence owes in a region that is the writer again is void: the next `replicate` says so. */
function ofDebts({ status }: Found): Finding[] {
  return status.owed
    .filter(({ region }) => region !== status.writer)
    .map(({ what, owedSince, reason }): Finding => ({
      severity: 'warning',
      kind: 'owed',
      what: `${what}, since ${owedSince}: ${reason.replace(/^[A-Z]+ \/subscriptions\/\S+: /, '')}`,
      next: '"understudy replicate" pays it as soon as the region answers.',
    }));
}

function ofRegistered({ status }: Found): Finding[] {
  if (status.differsFromRegistered !== true) return [];
  const what = 'this topology or a template of it is other than what is registered';
  const next = 'If it is what runs should use: "understudy register".';
  return [{ severity: 'warning', what, next }];
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

/** A recovery point needs both regions, and a workspace into which no move brings things any more. */
function howToTake({ status: { writer, regions }, open, pointer }: Found): string {
  if (open?.run && pointer?.takenBy?.run === open.runId)
    return `Once run "${open.runId}" has ended: "understudy replicate".`;
  const dark = regions.filter(({ state }) => state !== 'healthy').map(({ region }) => region);
  const when = dark.length > 0 ? `as soon as ${dark.join(' and ')} answers` : `while ${writer} answers`;
  return `Take one with "understudy replicate" ${when}.`;
}

/** A standby that does not answer keeps nobody from work, but from moving. */
function ofRegions({ status }: Found): Finding[] {
  return status.regions.flatMap(({ region, state, checks }): Finding[] => {
    if (state === 'healthy') return [];
    const bad = checks
      .filter((check) => check.state !== 'ok')
      .map(({ what, detail }) => `${what}: ${detail}`);
    const isActive = region === status.writer;
    return [
      {
        severity: state === 'unhealthy' ? 'critical' : 'warning',
        what: `${isActive ? 'the active region' : 'the standby'}, ${region}, is ${state}: ${bad.join('; ')}`,
        next: isActive
          ? 'If it stays so: "understudy plan" says what a move would do, and "understudy failover" makes it.'
          : 'A move there would wait for it: see what keeps it from answering.',
      },
    ];
  });
}

function ofRecoveryPoints(found: Found): Finding[] {
  const { points, pointer, status, session, now } = found;
  if (status.writer === undefined) return [];
  const take = howToTake(found);
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
  if (pointer?.takenBy && newest.epoch < pointer.takenBy.epoch)
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

/** That it could not be read says nothing new: the state of the regions does. */
function ofSharing({ status: { sharing } }: Found): Finding[] {
  return sharing.problem === undefined ? [] : [{ severity: 'critical', what: sharing.problem }];
}

/** What a person has accepted is in reports. */
function ofDamage({ status: { damage }, points }: Found): Finding[] {
  if (!damage)
    return [
      {
        severity: 'warning',
        kind: 'damaged',
        what: 'the ledger of the scrub cannot be read: nobody knows which copies are damaged',
        next: '"understudy replicate" begins it again.',
      },
    ];
  const isSaid = (id: string) => points.damaged.some((each) => each.id === id);
  const { replicas: all } = damage;
  const first = damage.examples.find((each) => !each.accepted);
  const more = all.count - all.accepted - 1;
  const replicas: Finding[] = first
    ? [
        {
          severity: 'critical',
          kind: 'damaged',
          what: `${showDamagedReplica(first)}${more > 0 ? ` (and ${more} more: the report of the newest replicate names them)` : ''}`,
          next: 'Put it back, or accept the loss: see "Damaged copies" in docs/operations.md.',
        },
      ]
    : [];
  const parts = damage.points
    .filter(({ id, accepted: isAccepted }) => !isAccepted && !isSaid(id))
    .map((point): Finding => ({ severity: 'warning', kind: 'damaged', what: showDamagedPoint(point) }));
  return [...replicas, ...parts];
}

/** The open run is read twice: as such, and in the list of all. */
function ofDocuments({ damaged }: Found): Finding[] {
  const byMessage = new Map(damaged.map((error) => [error.message, error]));
  return [...byMessage.values()].map(({ message, details }): Finding => ({
    severity: 'warning',
    kind: 'damaged',
    what: message,
    next: details.next ?? 'Put it back: see "Damaged documents" in docs/operations.md.',
  }));
}

function ofRuns(found: Found): Finding[] {
  const { status, open } = found;
  const starting: Finding[] =
    open && !open.run ? [{ severity: 'warning', what: `run "${open.runId}" is being started` }] : [];
  return [
    ...starting,
    ...ofReplicate(found),
    ...[status.newestMove, status.newestReplicate].flatMap((run) => (run ? ofReport(run) : [])),
    ...status.runs.flatMap((run): Finding[] => {
      if (run.state === 'failed')
        return [
          { severity: 'critical', kind: 'failed', what: `run ${describeRun(run)}`, next: howToEnd(run) },
          ...ofNotifications(found, run),
        ];
      if (run.executed === false)
        return [
          {
            severity: 'critical',
            what: `run ${describeRun(run)}, and this Temporal does not execute it`,
            next: `Take it up: "understudy retry ${run.runId}".`,
          },
        ];
      if (run.state === 'undoing')
        return [{ severity: 'warning', what: `run ${describeRun(run)}`, next: howToEnd(run) }];
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
        severity: 'critical',
        what: 'Temporal does not answer: nothing can be started, and nobody can say what is executed',
        next: 'See that it runs, and that TEMPORAL_ADDRESS names it; or start another: runs live in the control store.',
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

/** Recovery points grow old while it fails. */
function ofReplicate(found: Found): Finding[] {
  const { newestReplicate: run } = found.status;
  if (run?.state !== 'failed') return [];
  return [
    { severity: 'warning', kind: 'failed', what: `run ${describeRun(run)}`, next: howToEnd(run) },
    ...ofNotifications(found, run),
  ];
}

/** A report that was not written is made by the command that prints it. */
function ofReport({ runId, endedAt, reported }: RunDocument): Finding[] {
  if (reported?.problem === undefined || reported.of !== endedAt) return [];
  return [
    {
      severity: 'warning',
      what: `the report of run "${runId}" was not written: ${reported.problem}`,
      next: `Write it: understudy report ${runId}`,
    },
  ];
}

/** Until then a worker may be at it. */
const toldWithinMs = 3 * 60_000;

/** Whom the topology names, and nobody could tell how a run ended. */
function ofNotifications(
  { session, now }: Found,
  { runId, state, endedAt, notified = {} }: RunDocument,
): Finding[] {
  if (endedAt === undefined) return [];
  const wanted = session.topology.notify.filter(({ on }) => on.some((each) => each === state));
  return wanted.flatMap(({ webhookFrom }): Finding[] => {
    const told = notified[webhookFrom];
    const isTold = told?.of === endedAt;
    if (isTold ? told.problem === undefined : now.getTime() - Date.parse(endedAt) < toldWithinMs) return [];
    const why = isTold ? told.problem : 'no worker was there to do it in time';
    return [
      {
        severity: 'warning',
        what: `the webhook of ${webhookFrom} was not told how run "${runId}" ended: ${why}`,
      },
    ];
  });
}
