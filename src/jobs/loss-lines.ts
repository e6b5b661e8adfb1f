/** The lines that a report begins with: what was lost of jobs. */
import { showJob } from '../workspace/jobs/job.ts';
import type { JobRecord } from './job-record.ts';
import { showLostWork } from './lost-work.ts';

/** Describes a job that was not resumed, or that lost work. Undefined if there is nothing to report. */
export function lossOf(record: JobRecord, rpoMs: number): string | undefined {
  const line = whatHappened(record) ?? lostBehind(record, rpoMs);
  const { lost, outcome } = record;
  // What a person has to do is that person's decision: the figures are in the list of jobs.
  if (line === undefined || !lost || lost.ms === 0 || outcome === 'skipped' || outcome === 'owed') return line;
  return `${line}; lost: ${showLostWork(lost)}`;
}

/** A job that resumes from a checkpoint loses work too. It is reported if that exceeds the RPO. */
function lostBehind(record: JobRecord, rpoMs: number): string | undefined {
  const { lost, passedOver, outcome, new: successor } = record;
  const much = lost !== undefined && (lost.ms ?? Infinity) > rpoMs;
  if (outcome !== 'submitted' || record.class !== 'resubmit' || (!much && !passedOver)) return undefined;
  const from = lost?.from === 'checkpoint' ? `its checkpoint of ${lost.since}` : 'what it went on from itself';
  const why = passedOver ? ` ("${passedOver.name}" was not whole: ${passedOver.why})` : '';
  return `${showJob({ ...record, name: record.old })} goes on as "${successor}" from ${from}${why}`;
}

/** Example: `properties.command: it names the old workspace "fraud-east" (and 1 more)`. */
function warningOf({ warnings = [] }: JobRecord): string | undefined {
  const [first, ...others] = warnings;
  const more = others.length > 0 ? ` (and ${others.length} more)` : '';
  return first && `${first.place}: ${first.reason}${more}; see that it means nothing there`;
}

function whatHappened(record: JobRecord): string | undefined {
  const job = showJob({ ...record, name: record.old });
  if (record.outcome === 'failed') return `${job} could not be resubmitted: ${record.reason}`;
  if (record.outcome === 'owed') return `${job} has no successor: ${record.reason}`;
  if (record.class === 'manual' || record.class === 'may-have-completed')
    return `${job} is left for a person: ${record.reason}`;
  if (record.outcome === 'skipped') return undefined;
  const first = record.differences?.[0];
  if (first)
    return `${job} runs as "${record.new}", which the standby stored differently from what was sent: ${first.place}: ${first.held}, not ${first.sent}`;
  const warned = warningOf(record);
  if (warned !== undefined) return `${job} runs as "${record.new}": ${warned}`;
  const begun = record.status === 'Running' || record.status === 'Paused' || record.status === 'NotResponding';
  return record.class === 'restart' && begun ? `${job} starts again from the beginning: ${record.reason}` : undefined;
}
