/** Redirects a job that reads the output of an interrupted job to the output of that job's successor. */
import { datastoreUri, parseAzureMlUri, sameWorkspace, type ReferenceMapping } from '../azure/ids.ts';
import type { LedgerEntry } from '../ledger/ledger.ts';
import type { StepContext } from '../run/work/step-context.ts';
import type { AzureJobs } from '../workspace/jobs/azure-jobs.ts';
import { joinPath, placeOfOutput } from '../workspace/jobs/job-outputs.ts';
import type { RawJob } from '../workspace/jobs/job.ts';
import type { Classification } from './classify.ts';
import type { JobRecord } from './job-record.ts';
import { outputMeant, type Producer, type ProducersOf } from './producers.ts';
import { successorCompleted } from './next-successor.ts';

/** What happened to a job, for the jobs that read its outputs. */
export interface ProducerOutcome {
  /** Name of the successor that writes the outputs, or has written them. */
  successor?: string | undefined;
  reason: string;
}

/** Returns what readers of a job's outputs need of its record. */
export function outcomeForReaders({ new: successor, outcome, group, reason }: JobRecord): ProducerOutcome {
  const writes = outcome === 'submitted' || group === successorCompleted;
  return { reason, ...(writes ? { successor } : {}) };
}

/** What a resubmission knows about jobs that read each other's outputs. */
export interface Producers {
  of: ProducersOf;
  writes: (job: string) => Producer['writes'];
  /** By name: a job in a cycle of readers, and the name of the job that it waits for. */
  circular: ReadonlyMap<string, string>;
  /** By name: the jobs that were processed already. */
  outcomes: ReadonlyMap<string, ProducerOutcome>;
}

/** A producer, and the job that replaces it. */
interface Followed extends Producer {
  successor: RawJob;
}

/**
 * Returns the producers' successors, or why the job must not be submitted: nothing would write what it reads.
 * Errors: AzureUnavailable, AzureError.
 */
export async function followedBy(
  { name }: LedgerEntry,
  { of, writes, circular, outcomes }: Producers,
  jobs: Pick<AzureJobs, 'find'>,
  { signal }: Pick<StepContext, 'signal'>,
): Promise<Followed[] | Classification> {
  const found: Followed[] = [];
  const circle = circular.get(name);
  if (circle !== undefined) return unfollowed(`job "${circle}", which in turn reads what this job writes`);
  for (const producer of of.get(name) ?? []) {
    const { successor, reason } = outcomes.get(producer) ?? { reason: 'it has had no turn' };
    if (successor === undefined) return unfollowed(`job "${producer}", which has no successor: ${reason}`);
    const job = await jobs.find(successor, { signal });
    if (!job) return unfollowed(`job "${producer}", whose successor "${successor}" is gone`);
    found.push({ name: producer, writes: writes(producer), successor: job.raw });
  }
  return found;
}

function unfollowed(what: string): Classification {
  return {
    class: 'manual',
    group: 'reads the output of a job without successor',
    reason: `it reads the output of ${what}`,
  };
}

/**
 * Rewrites a reference to an output of one of the producers for the standby. Undefined if it is not such a reference.
 */
export function followOutput(
  value: string,
  followed: readonly Followed[],
  { from, to }: ReferenceMapping,
): string | undefined {
  const uri = followed.length === 0 ? undefined : parseAzureMlUri(value);
  if (!uri) return undefined;
  const isOld = uri.scope.kind === 'current' || ('workspace' in uri.scope && sameWorkspace(uri.scope.workspace, from));
  for (const producer of isOld ? followed : []) {
    const meant = outputMeant(uri.target, producer);
    if (!meant) continue;
    const place = placeOfOutput(producer.successor, meant.output);
    if ('address' in place)
      return meant.path === '' ? place.address : `${place.address.replace(/\/+$/, '')}/${meant.path}`;
    const folder = value.endsWith('/') ? '/' : '';
    return datastoreUri(to, place.datastore, joinPath(place.path, meant.path) + folder);
  }
  return undefined;
}
