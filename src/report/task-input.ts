/** What the tasks of people are made from. */
import type { TouchedJob } from '../fence/left-cancelled.ts';
import type { ActionName } from '../plan/actions.ts';
import type { Overtaken } from '../run/overtaken.ts';
import type { JobEvidence } from './evidence.ts';
import type { LeftOver, Report, Task } from './schema.ts';

/** What became of a run, as far as people must act on it. */
export interface TaskInput {
  run: string;
  from: string;
  to: string;
  /** It was cancelled and undone, as far as possible: the workspace is served by `from`. */
  cancelled: boolean;
  /** The writer that has overtaken a replication: the run cannot be continued. */
  overtaken?: Overtaken & {
    /** Whether being overtaken is all that its steps failed for. */
    only: boolean;
  };
  /** The command that takes it up again: `retry RUN`, or the operation itself, which begins again. */
  again: string;
  lost: Report['lost'];
  notUndone: Report['lost'];
  /** Steps of a failed run. */
  failed: LeftOver[];
  owed: Report['owed'];
  /** What happened to each job. */
  jobs: JobEvidence[];
  /** Jobs that a cancelled run left in another state than before. Absent if that is not known. */
  touched?: TouchedJob[];
  /** What each step does, by its id. */
  actionOf: (step: string) => ActionName | undefined;
  /** The region that a step goes to, where it is not that of the run. */
  targetOf: (step: string) => string | undefined;
}

/** A task and whose it is. */
export type Owned = Task & { owner?: string };
