/** One unfinished job: decide, plan its successor in the ledger, bring its checkpoint, rewrite, submit, read back. */
import type { ReferenceMapping } from '../azure/ids.ts';
import { isUnderstudyError, messageOf, type UnderstudyError } from '../errors/error.ts';
import type { StepContext } from '../run/work/step-context.ts';
import {
  broughtBefore,
  filesOf,
  type BringCheckpoint,
  type Brought,
} from '../checkpoints/bring-checkpoint.ts';
import { classify, type Classification } from './classify.ts';
import { isFinished, statusOf, type RawJob } from '../workspace/job.ts';
import {
  cameBack,
  markSubmitted,
  planSuccessor,
  specFolder,
  submittedAs,
  successorName,
  type LedgerEntry,
  type Successor,
} from '../ledger/ledger.ts';
import type { JobRecord } from './job-record.ts';
import { withLostWork } from './lost-work.ts';
import { rewriteSpec, type RewrittenSpec, type Unmapped } from './rewrite-spec.ts';
import { settlementOf } from './settlement.ts';
import type { Sight } from '../fence/stopped-jobs.ts';
import { findSuccessor, submitSuccessor } from './submit.ts';
import { unrestoredIn, type Unrestored } from './unrestored.ts';

/** What all jobs of one resubmission share. */
export interface Resumption {
  context: StepContext;
  mapping: ReferenceMapping;
  /** What this run could not restore: no job may run on it. */
  unrestored: Unrestored;
  isShared: (datastore: string) => boolean;
  /** What this run's fence saw of a job of the old workspace. */
  sightOf: (entry: LedgerEntry) => Sight;
  bring: BringCheckpoint;
  /** Called in long work; throws FencedError once the lease is lost. */
  beat: () => Promise<void>;
}

/**
 * Idempotent: run again, it finds the successor that it planned or submitted. Errors: what trying again may mend, and what ends the
 * step (AzureUnavailable, FencedError, CredentialError); what is wrong with this job alone is in its record.
 */
export async function resumeJob(entry: LedgerEntry, resumption: Resumption): Promise<JobRecord> {
  const record = await decideAndResume(entry, resumption);
  return withLostWork(record, entry, goneSince(resumption.context));
}

function goneSince({ run }: StepContext): string {
  return run.outageBeganAt ?? run.triggeredAt;
}

async function decideAndResume(entry: LedgerEntry, resumption: Resumption): Promise<JobRecord> {
  const { context } = resumption;
  try {
    const spec = await context.store.open<RawJob>(specFolder, entry.spec);
    const classification =
      (await superseded(entry, context)) ??
      classify({
        entry,
        spec,
        policy: context.topology.jobs,
        goneSince: goneSince(context),
        sight: resumption.sightOf(entry),
      });
    switch (classification.class) {
      case 'skip':
        return { ...about(entry), ...classification, outcome: 'skipped' };
      case 'manual':
      case 'may-have-completed':
      case 'owed':
        return await leaveForPerson(entry, classification, resumption);
      case 'resubmit':
      case 'restart':
        return await resubmit(entry, spec, classification, resumption);
    }
  } catch (error) {
    if (!isOfThisJob(error)) throw error;
    const group = error.details.azure?.code ?? error.code;
    return { ...about(entry), class: 'manual', outcome: 'failed', reason: messageOf(error), group };
  }
}

/** A job whose lineage has left its region and come back is not the one to go on from. */
async function superseded(
  entry: LedgerEntry,
  { store, to }: StepContext,
): Promise<Classification | undefined> {
  const later = entry.region === to.region ? undefined : await cameBack(store, entry);
  if (!later) return undefined;
  const group = 'an earlier job of its lineage';
  const reason = `an earlier job of its lineage, which came back to ${entry.region} as "${later.name}"`;
  return later.state === 'planned'
    ? { class: 'manual', group, reason: `${reason}, and that was never submitted` }
    : { class: 'skip', group, reason };
}

/** A person who goes on from its checkpoint finds that in the standby too. */
async function leaveForPerson(
  entry: LedgerEntry,
  classification: Classification,
  resumption: Resumption,
): Promise<JobRecord> {
  const brought = await bringCopy(entry, successorName(entry.lineageRoot, entry.hop + 1), resumption);
  const reason = classification.reason + whereabouts(brought);
  const outcome = classification.class === 'owed' ? 'owed' : 'skipped';
  return { ...about(entry), ...classification, reason, outcome, ...filesOf(entry, brought) };
}

async function resubmit(
  entry: LedgerEntry,
  spec: RawJob,
  classification: Classification,
  resumption: Resumption,
): Promise<JobRecord> {
  const { context } = resumption;
  const lacking = lackingFor(entry, spec, resumption);
  if (lacking) {
    const { unmapped, ...left } = lacking;
    return { ...(await leaveForPerson(entry, left, resumption)), unmapped };
  }
  const planned = await planOf(entry, resumption);
  if ('skip' in planned) return { ...about(entry), ...planned.skip };
  const { successor, before } = planned;
  const at = successorAt(successor, resumption);
  const resumes = classification.class === 'resubmit';
  const held = resumes && before ? heldCheckpoint(entry, before, resumption) : undefined;
  const brought = held ?? (await bringCopy(entry, successor.name, resumption));
  if (resumes && (!brought || 'missing' in brought)) return notRestored(entry, brought);
  const uri = resumes && brought && 'uri' in brought ? brought.uri : undefined;
  const rewritten = rewrite(entry, spec, successor, resumption, uri);
  await resumption.beat();
  const { already, differences } = await submitSuccessor({ ...at, body: rewritten.body, before });
  await markSubmitted(context.store, entry.lineageRoot, successor.hop);
  const earlier =
    already && successor.run !== context.run.runId ? ` (submitted by run ${successor.run})` : '';
  return {
    ...about(entry),
    ...classification,
    reason: classification.reason + earlier + (resumes ? '' : whereabouts(brought)),
    new: successor.name,
    outcome: 'submitted',
    hop: successor.hop,
    ...(uri === undefined ? {} : { checkpoint: uri }),
    ...filesOf(entry, brought),
    changes: rewritten.changes,
    ...(differences.length > 0 ? { differences } : {}),
  };
}

/** Nothing is planned for a job that cannot run right: a first rewriting finds that out, under any name. */
function lackingFor(
  entry: LedgerEntry,
  spec: RawJob,
  resumption: Resumption,
): (Classification & { unmapped: Unmapped[] }) | undefined {
  const wrong = unrestoredIn(spec, resumption.unrestored, resumption.mapping);
  const [first] = wrong;
  if (first) {
    const reason = first.reason + showMore(wrong);
    return { class: 'manual', group: 'refers to what was not restored', reason, unmapped: wrong };
  }
  const trial = { name: entry.name, hop: entry.hop + 1, run: resumption.context.run.runId };
  const { unmapped } = rewrite(entry, spec, trial, resumption, undefined);
  if (unmapped.length === 0) return undefined;
  return { class: 'manual', group: 'names what the standby lacks', reason: showUnmapped(unmapped), unmapped };
}

type Planned =
  | { successor: Successor; before: RawJob | undefined }
  | { skip: Pick<JobRecord, 'class' | 'outcome' | 'reason' | 'group' | 'new'> };

/**
 * The successor to submit, and the job of its name if that is there already. One that an earlier run has submitted may have ended since:
 * if a person cancelled it, the next hop is due.
 */
async function planOf(entry: LedgerEntry, resumption: Resumption): Promise<Planned> {
  const { context } = resumption;
  const run = context.run.runId;
  const plan = { entry, to: context.to.region, run };
  const settled = settlementOf(resumption.sightOf(entry), entry, context);
  const successor = await planSuccessor(context.store, { ...plan, settled });
  const before = await findSuccessor(successorAt(successor, resumption));
  const status = before && successor.run !== run ? statusOf(before) : 'Unknown';
  const isCancelled = status === 'Canceled' || status === 'CancelRequested';
  if (!isFinished(status) && !isCancelled) return { successor, before };
  const reason = `its successor "${successor.name}", which run ${successor.run} had submitted, is ${status}`;
  const ended = { reason, new: successor.name, outcome: 'skipped' } as const;
  if (status === 'Completed') return { skip: { ...ended, class: 'skip', group: 'its successor completed' } };
  if (!isCancelled) return { skip: { ...ended, class: 'manual', group: 'its successor failed' } };
  const at = context.now().toISOString();
  const next = await planSuccessor(context.store, {
    ...plan,
    settled: { as: 'cancelled', at, reason },
    ended: successor.hop,
  });
  return { successor: next, before: await findSuccessor(successorAt(next, resumption)) };
}

function successorAt({ name }: Successor, { context }: Resumption) {
  return { arm: context.azure.arm, workspace: context.to.workspace, name, signal: context.signal };
}

async function bringCopy(
  { checkpoint }: LedgerEntry,
  successor: string,
  { bring, beat }: Resumption,
): Promise<Brought | undefined> {
  return checkpoint && bring({ checkpoint, successor, beat });
}

function heldCheckpoint(
  { checkpoint }: LedgerEntry,
  before: RawJob,
  { context }: Resumption,
): Brought | undefined {
  return checkpoint && broughtBefore(before, checkpoint, context.topology.jobs.checkpoint);
}

/** Better not run than go on from half a checkpoint. */
function notRestored(
  entry: LedgerEntry,
  brought: Extract<Brought, { missing: string }> | undefined,
): JobRecord {
  const group = 'its checkpoint could not be restored';
  const reason = `${group}: ${brought?.missing ?? 'the ledger has none'}`;
  return { ...about(entry), class: 'manual', outcome: 'skipped', reason, group, ...filesOf(entry, brought) };
}

function whereabouts(brought: Brought | undefined): string {
  if (!brought) return '';
  return 'uri' in brought
    ? `; its last checkpoint is in ${brought.uri}`
    : `; its checkpoint could not be restored: ${brought.missing}`;
}

function showUnmapped(all: readonly Unmapped[]): string {
  return `${all[0]?.place}: ${all[0]?.reason}${showMore(all)}`;
}

function showMore({ length }: readonly Unmapped[]): string {
  return length > 1 ? ` (and ${length - 1} more)` : '';
}

function rewrite(
  entry: LedgerEntry,
  spec: RawJob,
  { name, hop, run }: Pick<Successor, 'name' | 'hop' | 'run'>,
  { context, mapping, isShared }: Resumption,
  uri: string | undefined,
): RewrittenSpec {
  const { input, output } = context.topology.jobs.checkpoint;
  return rewriteSpec(spec, {
    mapping,
    isShared,
    successor: { name, hop, lineageRoot: entry.lineageRoot, run },
    checkpointOutput: output,
    ...(uri === undefined ? {} : { resume: { input, uri } }),
  });
}

function about(
  entry: LedgerEntry,
): Pick<JobRecord, 'old' | 'submittedAs' | 'type' | 'status' | 'owner' | 'priority'> {
  const { name, type, status, owner, priority } = entry;
  return {
    old: name,
    ...submittedAs(entry),
    type,
    status,
    ...(owner === undefined ? {} : { owner }),
    ...(priority === undefined ? {} : { priority }),
  };
}

/** Errors that concern one job: Azure's refusal of it, or its spec in the control store. */
function isOfThisJob(error: unknown): error is UnderstudyError {
  return isUnderstudyError(error, 'AzureError') || isUnderstudyError(error, 'ControlStoreError');
}
