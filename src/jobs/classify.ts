/** Decides what to do with an unfinished job. Pure. */
import { z } from 'zod';
import type { Topology } from '../topology/topology.ts';
import { wentOnFrom, takesCheckpoint } from '../workspace/jobs/checkpoint.ts';
import { objectAt, textAt } from '../azure/body/json.ts';
import {
  createdAt,
  interactiveServices,
  isFinished,
  jobTypes,
  parentOf,
  resumeTag,
  resumeWishOf,
  showUnknownWish,
  timeLimitSeconds,
  typeOf,
  type RawJob,
} from '../workspace/jobs/job.ts';
import type { LedgerEntry } from '../ledger/ledger.ts';
import type { OldJobState } from '../fence/stopped-jobs.ts';

/**
 * `resubmit`: continue from the last copied checkpoint. `restart`: start from the beginning. `manual`: a person
 * decides. `skip`: there is nothing to do. `may-have-completed`: it may have completed after it was last seen, so a
 * person decides whether to run it again. `owed`: the old region answers but has not confirmed that the job ended, so a
 * successor would run next to it.
 */
export const JobClass = z.enum(['resubmit', 'restart', 'manual', 'skip', 'may-have-completed', 'owed']);
export type JobClass = z.infer<typeof JobClass>;

/** The decision about one job. */
export interface Classification {
  class: JobClass;
  /** The full reason for this job. */
  reason: string;
  /** The reason without names. Jobs are counted by it. */
  group: string;
}

/** The group of jobs that a person works in. */
export const interactiveGroup = 'interactive';

/** What the decision is based on. */
export interface Facts {
  /** The job as it was last seen. */
  entry: LedgerEntry;
  spec: RawJob;
  policy: Topology['jobs'];
  /** When the outage began, or when the run was triggered (ISO 8601). */
  goneSince: string;
  /** What the fence of this run saw of it in its old workspace, or how it was interrupted where it goes on. */
  old: OldJobState;
}

/**
 * Returns what to do with a job, and why.
 *
 * | at the recovery point | the fence saw it           | decision                                                    |
 * |-----------------------|----------------------------|-------------------------------------------------------------|
 * | unfinished            | Completed, Canceled        | skip: it ended, or a person ended it                        |
 * | unfinished            | Failed, or missing         | manual: it is not known whether the outage caused that      |
 * | unfinished            | cancelled by a fence       | resubmit or restart: it did not complete                    |
 * | unfinished            | not at all, or unfinished  | resubmit or restart, unless it may have completed meanwhile |
 * | unfinished            | answers, end not confirmed | owed: no successor                                          |
 * | unfinished            | (no fence) interrupted     | resubmit or restart: it did not complete                    |
 * | CancelRequested       | anything                   | skip: a person ended it                                     |
 * | cancelled by a fence whose run was cancelled   ||  manual: it may have been submitted again since           |
 *
 * A part of another job, or a job whose tag or kind says so, is skipped or left for a person whatever the fence saw.
 */
export function classify(facts: Facts): Classification {
  return whyNot(facts) ?? howToGoOn(facts);
}

/** Returns why a job does not go on by itself, whatever its checkpoints are; undefined if it does. */
export function whyNot(facts: Facts): Classification | undefined {
  return (
    outOfQuestion(facts) ??
    endedAsMeant(facts) ??
    forPerson(facts) ??
    unconfirmed(facts) ??
    endedOtherwise(facts) ??
    mayHaveCompleted(facts)
  );
}

const skip = (group: string, reason: string): Classification => ({ class: 'skip', group, reason });
const manual = (group: string, reason: string): Classification => ({ class: 'manual', group, reason });

function outOfQuestion({ spec }: Facts): Classification | undefined {
  const parent = parentOf(spec);
  if (parent !== undefined)
    return skip('part of another job', `it is a part of "${parent}", which is treated as a whole`);
  if (resumeWishOf(spec) === 'never') return skip('excluded by its tag', `its tag ${resumeTag} says "never"`);
  return undefined;
}

/** It completed, or a person ended it. */
function endedAsMeant({ entry, old }: Facts): Classification | undefined {
  if (entry.cancelledBy !== undefined) return undefined;
  if (isFinished(entry.status)) return skip('had finished', `it had finished (${entry.status})`);
  if (entry.status === 'CancelRequested') return skip('being cancelled', 'its cancellation had been asked for');
  if (old.is !== 'ended') return undefined;
  switch (old.status) {
    case 'Completed':
      return skip(
        'completed before the fence',
        `it had completed in the old workspace when the fence looked, at ${old.seenAt}`,
      );
    case 'Canceled':
    case 'CancelRequested':
      return skip(
        'cancelled before the fence',
        `it was cancelled in the old workspace, not by a fence (${old.status} at ${old.seenAt})`,
      );
    default:
      return undefined;
  }
}

/**
 * It ended in a way that its owner did not intend, perhaps because of the outage; or a fence cancelled it for a run
 * that was itself cancelled.
 */
function endedOtherwise({ entry, spec, old }: Facts): Classification | undefined {
  // The owner says that running it twice does no harm.
  if (resumeWishOf(spec) === 'always') return undefined;
  if (entry.cancelledBy !== undefined)
    return manual(
      'cancelled by an earlier run',
      `the fence of run ${entry.cancelledBy}, which was cancelled itself, cancelled it: whether it has been submitted again since cannot be told`,
    );
  if (old.is !== 'ended') return undefined;
  const was = `it was ${entry.status} at ${entry.lastSeenAt}`;
  if (old.status === 'gone')
    return manual(
      'gone before the fence',
      `${was}, and the old workspace had no such job at ${old.seenAt}: whether it completed cannot be told`,
    );
  return manual(
    'failed before the fence',
    `${was} and had ended ${old.status} at ${old.seenAt}: whether the outage failed it cannot be told`,
  );
}

/** Applies even to a job that may run twice: its successor must not knowingly run next to it. */
function unconfirmed({ old }: Facts): Classification | undefined {
  if (old.is !== 'unconfirmed') return undefined;
  return {
    class: 'owed',
    group: 'its end is not confirmed',
    reason: `its old region answers, and has not confirmed that it ended (${old.reason}): see that it has, then submit it again`,
  };
}

function forPerson({ spec, policy }: Facts): Classification | undefined {
  const services = interactiveServices(spec);
  const type = typeOf(spec);
  if (services.length > 0) {
    const reason = `a person works in it (${services.join(', ')})`;
    return { class: policy.interactive, group: interactiveGroup, reason };
  }
  const wish = resumeWishOf(spec);
  if (wish === 'manual') return manual('manual by its tag', `its tag ${resumeTag} says "manual"`);
  if (typeof wish === 'object') return manual('its tag means nothing known', showUnknownWish(wish.unknown));
  if (!(jobTypes as readonly string[]).includes(type))
    return manual('of an unknown type', `jobs of type "${type}" are not known`);
  const identity = objectAt(spec.properties, 'identity');
  if (identity && textAt(identity, 'identityType') === 'UserIdentity') {
    return manual('runs as a person', 'it runs as the person who submitted it, so that person must submit it');
  }
  return undefined;
}

function mayHaveCompleted({ entry, spec, goneSince, old }: Facts): Classification | undefined {
  if (resumeWishOf(spec) === 'always' || old.is === 'cancelled' || old.is === 'interrupted') return undefined;
  const because = (why: string): Classification => ({
    class: 'may-have-completed',
    group: 'may have completed',
    reason: `it may have completed after it was last seen at ${entry.lastSeenAt}: ${why}`,
  });
  if (entry.status === 'Finalizing') return because('it was finalizing');
  const seconds = timeLimitSeconds(spec);
  const created = Date.parse(createdAt(spec) ?? '');
  if (entry.status === 'Running' && seconds !== undefined && created + seconds * 1000 <= Date.parse(goneSince)) {
    return because('its time limit was over before the region was lost');
  }
  return undefined;
}

function howToGoOn({ entry, spec, policy }: Facts): Classification {
  const { input, output } = policy.checkpoint;
  if (!takesCheckpoint(spec, policy.checkpoint)) {
    return { class: 'restart', group: 'restarted', reason: `it takes no checkpoint (no input "${input}")` };
  }
  const resumed = wentOnFrom(spec, policy.checkpoint);
  if (!entry.checkpoint && resumed) {
    const reason = `it went on from ${resumed.path}, which was not copied, and no checkpoint that it wrote since was`;
    return { class: 'manual', group: 'its checkpoint is gone', reason };
  }
  const { passedOver } = entry;
  if (!entry.checkpoint) {
    const none = passedOver
      ? `no checkpoint of it was whole when it was copied: of "${passedOver.name}", ${passedOver.why}`
      : `no checkpoint of it was copied (output "${output}")`;
    return { class: 'restart', group: 'restarted', reason: none };
  }
  return {
    class: 'resubmit',
    group: 'resumed',
    reason: `from its last copied checkpoint, ${entry.checkpoint.lastFile}${passedOver ? `; "${passedOver.name}" was not whole: ${passedOver.why}` : ''}`,
  };
}
