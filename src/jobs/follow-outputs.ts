/** Points a job that reads the output of an interrupted job to that of its successor. */
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

/** What became of a job, for those that read its outputs. */
export interface ProducerOutcome {
  /** Name of the successor that writes them, or has written them. */
  successor?: string | undefined;
  reason: string;
}

export function outcomeForReaders({ new: successor, outcome, group, reason }: JobRecord): ProducerOutcome {
  const writes = outcome === 'submitted' || group === successorCompleted;
  return { reason, ...(writes ? { successor } : {}) };
}

/** What a resubmission knows of jobs that read each other's outputs. */
export interface Producers {
  of: ProducersOf;
  writes: (job: string) => Producer['writes'];
  /** By name: a job that reads what itself depends on it, and the name of that. */
  circular: ReadonlyMap<string, string>;
  /** By name: of those that have had their turn. */
  outcomes: ReadonlyMap<string, ProducerOutcome>;
}

/** A producer, and the job that has taken its place. */
interface Followed extends Producer {
  successor: RawJob;
}

/** The producers' successors; or why the job must not be submitted: it would read what nobody writes. Errors: AzureUnavailable, AzureError. */
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

/** What a reference to an output of one of the producers reads as in the standby; undefined: it is none. */
export function followOutput(
  value: string,
  followed: readonly Followed[],
  { from, to }: ReferenceMapping,
): string | undefined {
  const uri = followed.length === 0 ? undefined : parseAzureMlUri(value);
  if (!uri) return undefined;
  const isOld =
    uri.scope.kind === 'current' || ('workspace' in uri.scope && sameWorkspace(uri.scope.workspace, from));
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
