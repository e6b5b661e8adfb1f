/** What `status` finds that a person should act on, and how bad it is. Pure. */
import { showDamagedPoint, showDamagedReplica } from '../recovery-point/damage.ts';
import { showDuration, toSeconds } from '../topology/duration.ts';
import { resourceClasses } from '../topology/words.ts';
import { ofRuns } from './run-findings.ts';
import type { StatusFinding } from './documents/status.ts';
import type { StatusInput } from './status-shape.ts';

/** Every finding, grouped by what it is about. */
export function statusFindings(found: StatusInput): StatusFinding[] {
  return [
    ...ofPointer(found),
    ...ofRegions(found),
    ...ofSharing(found),
    ...ofRecoveryPoints(found),
    ...ofDamage(found),
    ...ofDocuments(found),
    ...ofRuns(found),
    ...ofDebts(found),
    ...ofDeparture(found),
    ...ofStopped(found),
    ...ofWorkers(found),
    ...ofRegistered(found),
  ];
}

/** What the fence owes in a region that is the writer again is void. */
function ofDebts({ status }: StatusInput): StatusFinding[] {
  return status.owed
    .filter(({ region }) => region !== status.writer)
    .map(({ what, owedSince, reason }): StatusFinding => ({
      severity: 'warning',
      kind: 'owed',
      what: `${what}, since ${owedSince}: ${reason.replace(/^[A-Z]+ \/subscriptions\/\S+: /, '')}`,
      next: '"understudy reprotect" pays it once the region answers.',
    }));
}

/** A run that stopped them, and was ended before it could enable them again: nothing is submitted by schedule. */
function ofStopped({ stopped, status }: StatusInput): StatusFinding[] {
  if (!stopped) return [];
  const { run, schedules } = stopped;
  return [
    {
      severity: 'critical',
      what: `run "${run}" has stopped schedules of ${status.writer}, the active region, and nothing has enabled them again: ${schedules.join(', ')}`,
      next: 'Enable them ("az ml schedule enable"), if nobody has disabled them on purpose; see "understudy report" of that run.',
    },
  ];
}

/** While a move is open, the region that it leaves is that move's. Debts say the same, and what to do. */
function ofDeparture({ left, open, status }: StatusInput): StatusFinding[] {
  if (!left || left === 'unread' || open?.run || status.owed.some(({ region }) => region !== status.writer)) return [];
  const next = 'Once it answers: "understudy reprotect" makes it a standby again.';
  return [{ severity: 'warning', what: `there is no standby: ${left.why}`, next }];
}

function ofRegistered({ status }: StatusInput): StatusFinding[] {
  if (status.differsFromRegistered !== true) return [];
  const what = 'this topology, or a template of it, differs from what is registered';
  const next = 'If it is what runs should use: "understudy register".';
  return [{ severity: 'warning', what, next }];
}

function ofPointer({ lost }: StatusInput): StatusFinding[] {
  if (lost === undefined) return [];
  return [
    {
      severity: 'critical',
      what: `the region pointer is missing, and the control store has been used (it has "${lost}"): which region may be written is unknown`,
      next: 'Make it again from the journal: understudy restore-pointer --reason "…".',
    },
  ];
}

/** A recovery point needs both regions, and a workspace that no move is restoring into. */
function howToTake({ status: { writer, regions }, open, left, pointer }: StatusInput): string {
  if (open?.run && pointer?.takenBy?.run === open.runId)
    return `Once run "${open.runId}" has ended: "understudy replicate".`;
  if (left === 'unread') return 'Once what is damaged is put back: "understudy replicate", or "understudy reprotect".';
  if (left) return 'Take one with "understudy reprotect", which also makes the other region a standby again.';
  const dark = regions.filter(({ state }) => state !== 'healthy').map(({ region }) => region);
  const when = dark.length > 0 ? `as soon as ${dark.join(' and ')} answers` : `while ${writer} answers`;
  return `Take one with "understudy replicate" ${when}.`;
}

/** A standby that does not answer blocks no work, only a move. */
function ofRegions({ status }: StatusInput): StatusFinding[] {
  return status.regions.flatMap(({ region, state, checks }): StatusFinding[] => {
    if (state === 'healthy') return [];
    const bad = checks.filter((check) => check.state !== 'ok').map(({ what, detail }) => `${what}: ${detail}`);
    const isActive = region === status.writer;
    return [
      {
        severity: state === 'unhealthy' ? 'critical' : 'warning',
        what: `${isActive ? 'the active region' : 'the standby'}, ${region}, is ${state}: ${bad.join('; ')}`,
        next: isActive
          ? 'If that does not change: "understudy plan" shows what a move would do, and "understudy failover" makes it.'
          : 'A move there would wait for it: find out why it does not answer.',
      },
    ];
  });
}

function ofRecoveryPoints(found: StatusInput): StatusFinding[] {
  const { points, pointer, status, session, now } = found;
  if (status.writer === undefined) return [];
  const take = howToTake(found);
  const findings = points.damaged.map(({ id, reason }): StatusFinding => ({
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

/** That it could not be read is nothing new: the findings about the regions say so. */
function ofSharing({ status: { sharing } }: StatusInput): StatusFinding[] {
  return sharing.problem === undefined ? [] : [{ severity: 'critical', what: sharing.problem }];
}

/** Damage that a person has accepted is in reports only. */
function ofDamage({ status: { damage }, points }: StatusInput): StatusFinding[] {
  if (!damage)
    return [
      {
        severity: 'warning',
        kind: 'damaged',
        what: 'the ledger of the scrub cannot be read: which copies are damaged is unknown',
        next: '"understudy replicate" begins it again.',
      },
    ];
  const isSaid = (id: string) => points.damaged.some((each) => each.id === id);
  const { replicas: all } = damage;
  const first = damage.examples.find((each) => !each.accepted);
  const more = all.count - all.accepted - 1;
  const replicas: StatusFinding[] = first
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
    .map((point): StatusFinding => ({ severity: 'warning', kind: 'damaged', what: showDamagedPoint(point) }));
  return [...replicas, ...parts];
}

/** The open run is read twice: by itself, and in the list of all. */
function ofDocuments({ damaged }: StatusInput): StatusFinding[] {
  const byMessage = new Map(damaged.map((error) => [error.message, error]));
  return [...byMessage.values()].map(({ message, details }): StatusFinding => ({
    severity: 'warning',
    kind: 'damaged',
    what: message,
    next: details.next ?? 'Put it back: see "Damaged documents" in docs/operations.md.',
  }));
}

function ofWorkers({ status }: StatusInput): StatusFinding[] {
  if (!status.workers)
    return [
      {
        severity: 'critical',
        what: 'Temporal does not answer: nothing can be started, and what is executed is unknown',
        next: 'Make sure that it runs, and that TEMPORAL_ADDRESS names it; or start another: runs live in the control store.',
      },
    ];
  return status.workers
    .filter(({ polling }) => polling === 0)
    .map(({ host }): StatusFinding => ({
      severity: host === undefined ? 'critical' : 'warning',
      what:
        host === undefined
          ? 'no worker polls: no run makes progress'
          : `no worker polls for host ${host}: its config files cannot be rewritten`,
      next: host === undefined ? 'Start one: understudy worker' : `Start one there: understudy worker --host ${host}`,
    }));
}
