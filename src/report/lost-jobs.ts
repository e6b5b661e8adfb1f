/** The work that the interrupted jobs of a run lose. The RPO of training is that of the job that loses most. */
import { showJob } from '../workspace/jobs/job.ts';
import { gpuHoursOf, showLostWork } from '../jobs/lost-work.ts';
import type { JobEvidence } from './evidence.ts';
import type { Rpo } from './schema.ts';
import { showCount } from '../topology/figures.ts';
import { showTime } from './wording.ts';

/** The work that the jobs of a run lose. */
export interface LostJobs {
  worst?: NonNullable<Rpo['worst']>;
  why?: string;
  /** Why the figure may be too small. */
  unknown?: string;
}

type Interrupted = JobEvidence & { lost: NonNullable<JobEvidence['lost']> };

/** Measures the lost work. */
export function measureJobs({ items, problems }: { items: JobEvidence[]; problems: string[] }): LostJobs {
  const lost = items.flatMap((job): Interrupted[] => (job.lost ? [{ ...job, lost: job.lost }] : []));
  const byPeople = items.filter((job) => !job.lost && job.class !== 'skip').length;
  const worst = lost.reduce<Interrupted | undefined>(
    (most, each) => (most && isMore(most.lost, each.lost) ? most : each),
    undefined,
  );
  const unmeasured = lost.find(({ lost: { ms } }) => ms === undefined);
  const whys = [
    worst && whyOf(worst, lost.length),
    byPeople > 0 ? `leaves out ${showCount(byPeople, 'job')} in which a person worked` : undefined,
  ].filter((why) => why !== undefined);
  const unknown = problems[0]
    ? `what jobs lost cannot be read: ${problems[0]}`
    : unmeasured && whyUnmeasured(unmeasured);
  return {
    ...(worst && { worst: worstOf(worst) }),
    ...(whys.length > 0 && { why: whys.join('; ') }),
    ...(unknown !== undefined && { unknown }),
  };
}

function whyUnmeasured(job: Interrupted): string {
  return job.lost.since === undefined
    ? `since when ${nameOf(job)} had run is not known`
    : `until when ${nameOf(job)} ran is not known`;
}

/** Of two jobs that lose the same time, the one with more GPUs. */
function isMore(a: Interrupted['lost'], b: Interrupted['lost']): boolean {
  const [first, second] = [a.ms ?? -1, b.ms ?? -1];
  return first === second ? (a.gpus ?? 0) >= (b.gpus ?? 0) : first > second;
}

function worstOf(job: Interrupted): NonNullable<Rpo['worst']> {
  const { ms, since, from, gpus } = job.lost;
  const gpuHours = gpuHoursOf(job.lost);
  return {
    job: nameOf(job),
    from,
    ...(ms !== undefined && { lostMs: ms }),
    ...(since !== undefined && { since }),
    ...(gpus !== undefined && { gpus }),
    ...(gpuHours !== undefined && { gpuHours }),
  };
}

function whyOf(job: Interrupted, count: number): string {
  const { from, since } = job.lost;
  const of = count === 1 ? 'the interrupted job' : `the worst of ${count} interrupted jobs`;
  return `${of}, ${nameOf(job)}, loses ${showLostWork(job.lost)}, since ${moments[from]}${since === undefined ? '' : ` at ${showTime(since)}`}`;
}

const moments = {
  checkpoint: 'its last whole checkpoint that is copied',
  submission: 'it was submitted',
  'last look': 'it was last seen, not yet begun',
} as const;

function nameOf({ old, submittedAs, owner }: JobEvidence): string {
  return showJob({ name: old, submittedAs, owner });
}
