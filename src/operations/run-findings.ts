/** What a person should see to about the runs. */
import type { Silence } from '../client/silence.ts';
import { describeRun, howToEnd } from '../run/describe-run.ts';
import { showOvertaken } from '../run/overtaken.ts';
import type { RunDocument } from '../run/run-document.ts';
import { showDuration } from '../topology/duration.ts';
import type { StatusFinding } from './documents/status.ts';
import type { StatusInput } from './status-shape.ts';

/** What is wrong with open and recent runs. */
export function ofRuns(found: StatusInput): StatusFinding[] {
  const { status, open } = found;
  const starting: StatusFinding[] =
    open && !open.run ? [{ severity: 'warning', what: `run "${open.runId}" is being started` }] : [];
  return [
    ...starting,
    ...ofReplicate(found),
    ...[status.newestMove, status.newestReplicate].flatMap((run) => (run ? ofReport(run) : [])),
    ...status.runs.flatMap((run): StatusFinding[] => {
      const about = { run: run.runId, what: `run ${describeRun(run)}` };
      if (run.state === 'failed')
        return [
          { severity: 'critical', kind: 'failed', ...about, next: howToEnd(run) },
          ...ofNotifications(found, run),
        ];
      if (run.executed === false)
        return [
          {
            severity: 'critical',
            ...about,
            what: `${about.what}, and this Temporal does not execute it`,
            next: `Execute it here: "understudy retry ${run.runId}".`,
          },
        ];
      if (run.silent) return [{ severity: 'critical', ...about, ...ofSilence(about.what, run.silent) }];
      if (run.state === 'waiting') {
        const how = `Decide: "understudy approve ${run.runId} --reason …", or "understudy decline".`;
        return [{ severity: 'warning', ...about, next: how }];
      }
      if (run.state === 'undoing') return [{ severity: 'warning', ...about, next: howToEnd(run) }];
      return run.paused ? [{ severity: 'warning', ...about, next: 'understudy unpause' }] : [];
    }),
  ];
}

/** Temporal lists a killed worker for a minute or more: its steps show it sooner. */
function ofSilence(run: string, { what, kind, seconds }: Silence): Pick<StatusFinding, 'what' | 'next'> {
  const lasted = showDuration(seconds * 1000);
  return {
    what:
      kind === 'no heartbeat'
        ? `${run}; ${what} has given no sign of life for ${lasted}: its worker is gone, or cut off`
        : `${run}; ${what} has waited ${lasted} for a worker to take it`,
    next: 'Make sure that a worker runs and reaches Temporal ("understudy worker"): the run then continues by itself.',
  };
}

/** Recovery points grow old while `replicate` fails. */
function ofReplicate(found: StatusInput): StatusFinding[] {
  const { newestReplicate: run } = found.status;
  if (run?.state !== 'failed') return [];
  return [...ofFailedReplicate(run, found), ...ofNotifications(found, run)];
}

function ofFailedReplicate(run: RunDocument, { overtaken, points }: StatusInput): StatusFinding[] {
  if (overtaken)
    return [
      {
        severity: 'warning',
        what: `run "${run.runId}" (${run.operation}, ${run.from} → ${run.to}) was ${showOvertaken(overtaken)}`,
        next: howToEnd(run, overtaken),
      },
    ];
  // A later recovery point has made up for it.
  const [newest] = points.sealed;
  if (newest && newest.ref.startedAt > (run.endedAt ?? run.triggeredAt)) return [];
  return [{ severity: 'warning', kind: 'failed', what: `run ${describeRun(run)}`, next: howToEnd(run) }];
}

/** `understudy report` writes a report that was not written. */
function ofReport({ runId, endedAt, reported }: RunDocument): StatusFinding[] {
  if (reported?.problem === undefined || reported.of !== endedAt) return [];
  return [
    {
      severity: 'warning',
      what: `the report of run "${runId}" was not written: ${reported.problem}`,
      next: `Write it: understudy report ${runId}`,
    },
  ];
}

/** Until then a worker may still be notifying. */
const notifiedWithinMs = 3 * 60_000;

/** Webhooks that the topology names, and that were not told how a run ended. */
function ofNotifications(
  { session, now }: StatusInput,
  { runId, state, endedAt, notified = {} }: RunDocument,
): StatusFinding[] {
  if (endedAt === undefined) return [];
  const wanted = session.topology.notify.filter(({ on }) => on.some((each) => each === state));
  return wanted.flatMap(({ webhookFrom }): StatusFinding[] => {
    const told = notified[webhookFrom];
    const isTold = told?.of === endedAt;
    if (isTold ? told.problem === undefined : now.getTime() - Date.parse(endedAt) < notifiedWithinMs) return [];
    const why = isTold ? told.problem : 'no worker was there to do it in time';
    return [
      {
        severity: 'warning',
        what: `the webhook of ${webhookFrom} was not told how run "${runId}" ended: ${why}`,
      },
    ];
  });
}
