/** Resubmits one interrupted job: decide, rewrite, plan its successor, copy its checkpoint, submit, record. */
import type { ReferenceMapping } from '../azure/ids.ts';
import { broughtBefore, filesOf, type BringCheckpoint, type Brought } from '../checkpoints/bring-checkpoint.ts';
import { isUnderstudyError, messageOf, type UnderstudyError } from '../errors/error.ts';
import type { OldJobState } from '../fence/stopped-jobs.ts';
import { markSubmitted, specFolder, successorName, type LedgerEntry } from '../ledger/ledger.ts';
import type { StepContext } from '../run/work/step-context.ts';
import type { AzureJobs } from '../workspace/jobs/azure-jobs.ts';
import type { RawJob } from '../workspace/jobs/job.ts';
import { classify, type Classification } from './classify.ts';
import { aboutJob, type JobRecord, withLostWork } from './job-record.ts';
import { followedBy, followOutput, type Producers } from './follow-outputs.ts';
import { laterJob, nextSuccessor, replacedBy, type NextSuccessor } from './next-successor.ts';
import { workedUntil } from './lost-work.ts';
import { rewriteSpec, type RewrittenSpec, type Unmapped } from './spec/rewrite-spec.ts';
import { submitSuccessor } from './submit.ts';
import { successorSpec } from './spec/successor-spec.ts';
import { unrestoredIn, type Unrestored } from './unrestored.ts';

/** What all jobs of one resubmission share. */
export interface Resubmission {
  context: StepContext;
  /** The standby's jobs. */
  jobs: AzureJobs;
  mapping: ReferenceMapping;
  /** What this run could not restore: no job may depend on it. */
  unrestored: Unrestored;
  isShared: (datastore: string) => boolean;
  /** Returns what this run's fence knows about a job of the old workspace. */
  oldState: (entry: Pick<LedgerEntry, 'name' | 'region'>) => OldJobState;
  /** Names of the jobs of the recovery point. */
  inLedger: ReadonlySet<string>;
  producers: Producers;
  bring: BringCheckpoint;
  /** Called during long work. Throws FencedError once the lease is lost. */
  beat: () => Promise<void>;
}

/**
 * Idempotent: a second run finds the successor that the first planned or submitted. Problems with this job alone are in
 * its record.
 * Errors: those that a retry may resolve, and those that end the step (AzureUnavailable, FencedError, CredentialError).
 */
export async function resubmitJob(entry: LedgerEntry, all: Resubmission): Promise<JobRecord> {
  const until = workedUntil(all.oldState(entry), goneSince(all.context));
  try {
    return withLostWork(await goOn(entry, all), entry, until);
  } catch (error) {
    if (!isOfThisJob(error)) throw error;
    const group = error.details.azure?.code ?? error.code;
    const failed = { class: 'manual', outcome: 'failed', reason: messageOf(error), group } as const;
    return withLostWork({ ...aboutJob(entry), ...failed }, entry, until);
  }
}

async function goOn(entry: LedgerEntry, all: Resubmission): Promise<JobRecord> {
  const { context, jobs } = all;
  const spec = await context.store.open<RawJob>(specFolder, entry.spec);
  const later = await laterJob(entry, context);
  // One that was submitted since the recovery point is known by its ledger alone: this job's copies are the newest of
  // it.
  const old = all.oldState({ region: entry.region, name: later?.name ?? entry.name });
  const isKnown = later && (all.inLedger.has(later.name) || later.state === 'planned');
  const decision = isKnown ? replacedBy(later, entry) : decide({ entry, spec, old }, context);
  if (decision.class === 'skip') return { ...aboutJob(entry), ...decision, outcome: 'skipped' };
  if (decision.class !== 'resubmit' && decision.class !== 'restart') return leaveForPerson(entry, decision, all);

  const followed = await followedBy(entry, all.producers, jobs, context);
  if (!Array.isArray(followed)) return leaveForPerson(entry, followed, all);
  const follow = (reference: string) => followOutput(reference, followed, all.mapping);
  const moved = rewriteSpec(spec, { mapping: all.mapping, follow });
  const lacking = lackingFor(spec, moved, all);
  if (lacking) {
    const { unmapped, ...left } = lacking;
    return { ...(await leaveForPerson(entry, left, all)), unmapped };
  }
  const next = await nextSuccessor(entry, old, context, jobs);
  if ('ended' in next) return { ...aboutJob(entry), ...next.ended };
  const { successor, before } = next;
  const resumes = decision.class === 'resubmit';
  const brought = await checkpointFor(entry, next, resumes, all);
  if (resumes && (!brought || 'missing' in brought)) return notRestored(entry, brought);
  const uri = resumes && brought && 'uri' in brought ? brought.uri : undefined;
  const { input, output } = context.topology.jobs.checkpoint;
  const { body, changes } = successorSpec(spec, moved, {
    successor: { ...successor, lineageRoot: entry.lineageRoot },
    isShared: all.isShared,
    checkpointOutput: output,
    ...(uri === undefined ? {} : { resume: { input, uri } }),
  });
  await all.beat();
  const { already, differences } = await submitSuccessor({
    jobs,
    name: successor.name,
    body,
    before,
    signal: context.signal,
  });
  await markSubmitted(context.store, entry.lineageRoot, successor.hop);
  const isEarlier = already && successor.run !== context.run.runId;
  const earlier = isEarlier ? ` (submitted by run ${successor.run})` : '';
  return {
    ...aboutJob(entry),
    ...decision,
    reason: decision.reason + earlier + (resumes ? '' : whereabouts(brought)),
    new: successor.name,
    outcome: 'submitted',
    hop: successor.hop,
    ...(uri === undefined ? {} : { checkpoint: uri }),
    ...filesOf(entry, brought),
    changes,
    ...(moved.warnings.length > 0 ? { warnings: moved.warnings } : {}),
    ...(differences.length > 0 ? { differences } : {}),
  };
}

/** Returns when the outage began, or the run was triggered (ISO 8601). */
function goneSince({ run }: StepContext): string {
  return run.outageBeganAt ?? run.triggeredAt;
}

function decide(known: { entry: LedgerEntry; spec: RawJob; old: OldJobState }, context: StepContext): Classification {
  return classify({ ...known, policy: context.topology.jobs, goneSince: goneSince(context) });
}

/** Returns why a job must not run in the standby. No successor is planned then. */
function lackingFor(
  spec: RawJob,
  { unmapped }: RewrittenSpec,
  { unrestored, mapping }: Resubmission,
): (Classification & { unmapped: Unmapped[] }) | undefined {
  const wrong = unrestoredIn(spec, unrestored, mapping);
  if (wrong[0]) {
    const reason = wrong[0].reason + showMore(wrong);
    return { class: 'manual', group: 'refers to what was not restored', reason, unmapped: wrong };
  }
  if (!unmapped[0]) return undefined;
  const reason = `${unmapped[0].place}: ${unmapped[0].reason}${showMore(unmapped)}`;
  return { class: 'manual', group: 'names what the standby lacks', reason, unmapped };
}

function showMore({ length }: readonly Unmapped[]): string {
  return length > 1 ? ` (and ${length - 1} more)` : '';
}

/** The checkpoint is copied anyway, so that a person can resume from it in the standby. */
async function leaveForPerson(entry: LedgerEntry, decision: Classification, all: Resubmission): Promise<JobRecord> {
  const brought = await bringCopy(entry, successorName(entry.lineageRoot, entry.hop + 1), all);
  const reason = decision.reason + whereabouts(brought);
  const outcome = decision.class === 'owed' ? 'owed' : 'skipped';
  return { ...aboutJob(entry), ...decision, reason, outcome, ...filesOf(entry, brought) };
}

/** A successor that exists already has its checkpoint. */
async function checkpointFor(
  entry: LedgerEntry,
  { successor, before }: Extract<NextSuccessor, { successor: unknown }>,
  resumes: boolean,
  all: Resubmission,
): Promise<Brought | undefined> {
  const { checkpoint } = entry;
  const policy = all.context.topology.jobs.checkpoint;
  const held = resumes && before && checkpoint && broughtBefore(before, checkpoint, policy);
  return held || bringCopy(entry, successor.name, all);
}

async function bringCopy(
  { checkpoint }: LedgerEntry,
  successor: string,
  { bring, beat }: Resubmission,
): Promise<Brought | undefined> {
  return checkpoint && bring({ checkpoint, successor, beat });
}

/** It is better not to run a job than to resume from an incomplete checkpoint. */
function notRestored(entry: LedgerEntry, brought: Extract<Brought, { missing: string }> | undefined): JobRecord {
  const group = 'its checkpoint could not be restored';
  const reason = `${group}: ${brought?.missing ?? 'the ledger has none'}`;
  return {
    ...aboutJob(entry),
    class: 'manual',
    outcome: 'skipped',
    reason,
    group,
    ...filesOf(entry, brought),
  };
}

function whereabouts(brought: Brought | undefined): string {
  if (!brought) return '';
  return 'uri' in brought
    ? `; its last checkpoint is in ${brought.uri}`
    : `; its checkpoint could not be restored: ${brought.missing}`;
}

/** Errors about one job only: Azure refuses it, or its spec in the control store is damaged. */
function isOfThisJob(error: unknown): error is UnderstudyError {
  return isUnderstudyError(error, 'AzureError') || isUnderstudyError(error, 'ControlStoreError');
}
