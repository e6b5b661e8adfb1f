/** One unfinished job: decide, plan its successor in the ledger, rewrite, submit, read back. */
import type { ReferenceMapping } from '../azure/ids.ts';
import { datastoreUri } from '../azure/ids.ts';
import { UnderstudyError, isUnderstudyError, messageOf } from '../errors/error.ts';
import type { StepContext } from '../run/step-context.ts';
import { classify, type Classification, type JobClass } from './classify.ts';
import type { RawJob } from './job.ts';
import {
  markSubmitted,
  planSuccessor,
  specFolder,
  type LedgerEntry,
  type Settlement,
  type Successor,
} from './ledger.ts';
import { rewriteSpec, type Change, type RewrittenSpec, type Unmapped } from './rewrite-spec.ts';
import { submitSuccessor, type Difference } from './submit.ts';

/** What all jobs of one resubmission share. */
export interface Resumption {
  context: StepContext;
  mapping: ReferenceMapping;
  isShared: (datastore: string) => boolean;
  settledAs: (name: string) => Settlement['as'];
  /** Old jobs that ended by themselves before the fence: name → status. */
  ended: Record<string, string>;
}

/** What became of one job: an item of the run's evidence. */
export interface JobRecord {
  /** Names of the old job and of its successor. */
  old: string;
  new?: string;
  class: JobClass;
  outcome: 'submitted' | 'skipped' | 'failed';
  reason: string;
  /** By which it is counted. */
  group: string;
  type: string;
  /** As last seen, in the old workspace. */
  status: string;
  owner?: string;
  priority?: string;
  hop?: number;
  /** Where the successor reads its checkpoint. */
  checkpoint?: string;
  changes?: Change[];
  unmapped?: Unmapped[];
  /** What the standby holds otherwise than it was sent. */
  differences?: Difference[];
}

/**
 * Idempotent: run again, it finds the successor that it planned or submitted. Errors: what trying again may mend, and what ends the
 * step (AzureUnavailable, FencedError, CredentialError); what is wrong with this job alone is in its record.
 */
export async function resumeJob(entry: LedgerEntry, resumption: Resumption): Promise<JobRecord> {
  const { context, ended } = resumption;
  try {
    const spec = await context.store.open<RawJob>(specFolder, entry.spec);
    const endedAs = ended[entry.name];
    const classification = classify({
      entry,
      spec,
      policy: context.topology.jobs,
      goneSince: context.run.outageBeganAt ?? context.run.triggeredAt,
      ...(endedAs === undefined ? {} : { endedAs }),
    });
    if (classification.class !== 'resubmit' && classification.class !== 'restart') {
      return { ...about(entry), ...classification, outcome: 'skipped' };
    }
    return await resubmit(entry, spec, classification, resumption);
  } catch (error) {
    if (!isOfThisJob(error)) throw error;
    const group = error.details.azure?.code ?? error.code;
    return { ...about(entry), class: 'manual', outcome: 'failed', reason: messageOf(error), group };
  }
}

async function resubmit(
  entry: LedgerEntry,
  spec: RawJob,
  classification: Classification,
  resumption: Resumption,
): Promise<JobRecord> {
  const { context } = resumption;
  // Nothing is planned for a job that cannot run right: the first rewriting finds that out, under any name.
  const { unmapped } = rewrite(entry, spec, classification, resumption, {
    name: entry.name,
    hop: entry.hop + 1,
    run: context.run.runId,
  });
  if (unmapped.length > 0) {
    const [first, ...others] = unmapped;
    const more = others.length === 0 ? '' : ` (and ${others.length} more)`;
    const reason = `${first?.place}: ${first?.reason}${more}`;
    return {
      ...about(entry),
      class: 'manual',
      outcome: 'skipped',
      reason,
      group: 'names what the standby lacks',
      unmapped,
    };
  }
  const successor = await planSuccessor(context.store, {
    entry,
    to: context.to.region,
    run: context.run.runId,
    settled: settlement(entry, resumption),
  });
  const rewritten = rewrite(entry, spec, classification, resumption, successor);
  const { already, differences } = await submitSuccessor({
    arm: context.azure.arm,
    workspace: context.to.workspace,
    name: successor.name,
    body: rewritten.body,
    signal: context.signal,
  });
  await markSubmitted(context.store, entry.lineageRoot, successor.hop);
  const before = already && successor.run !== context.run.runId ? ` (submitted by run ${successor.run})` : '';
  return {
    ...about(entry),
    ...classification,
    reason: classification.reason + before,
    new: successor.name,
    outcome: 'submitted',
    hop: successor.hop,
    ...(classification.class === 'resubmit' ? { checkpoint: checkpointUri(entry, resumption) } : {}),
    changes: rewritten.changes,
    ...(differences.length > 0 ? { differences } : {}),
  };
}

function rewrite(
  entry: LedgerEntry,
  spec: RawJob,
  classification: Classification,
  resumption: Resumption,
  { name, hop, run }: Pick<Successor, 'name' | 'hop' | 'run'>,
): RewrittenSpec {
  const { context, mapping, isShared } = resumption;
  const { input } = context.topology.jobs.checkpoint;
  return rewriteSpec(spec, {
    mapping,
    isShared,
    successor: { name, hop, lineageRoot: entry.lineageRoot, run },
    ...(classification.class === 'resubmit'
      ? { resume: { input, uri: checkpointUri(entry, resumption) } }
      : {}),
  });
}

/** The standby's copy of the checkpoints: the same path of the datastore of the same (or mapped) name. */
function checkpointUri({ name, checkpoint }: LedgerEntry, { context, mapping }: Resumption): string {
  if (!checkpoint)
    throw new UnderstudyError('ControlStoreError', `the ledger has no checkpoint of job "${name}"`);
  const datastore = mapping.datastores?.[checkpoint.datastore] ?? checkpoint.datastore;
  const path =
    checkpoint.path.endsWith('/') || checkpoint.path === '' ? checkpoint.path : `${checkpoint.path}/`;
  return datastoreUri(context.to.workspace, datastore, path);
}

function settlement(entry: LedgerEntry, { context, settledAs }: Resumption): Settlement {
  const as = settledAs(entry.name);
  const reason =
    as === 'lost'
      ? `run ${context.run.runId} moved away from ${context.from.region}, where the job was last seen ${entry.status}`
      : `run ${context.run.runId} cancelled it during its fence`;
  return { as, at: context.now().toISOString(), reason };
}

function about({
  name,
  type,
  status,
  owner,
  priority,
}: LedgerEntry): Pick<JobRecord, 'old' | 'type' | 'status' | 'owner' | 'priority'> {
  return {
    old: name,
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
