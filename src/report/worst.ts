/** The RTO and the RPO that a reader looks for first: those of the class that did worst against its objective. */
import type { ClassObjectives, Verdict } from './schema.ts';

/** One measure, and its objective. */
export interface WorstMeasure {
  name: 'RTO' | 'RPO';
  class: ClassObjectives['class'];
  /** Absent if it was not measured. */
  measuredMs?: number;
  /** If it is known only between two figures: the greater one. */
  atMostMs?: number;
  /** It is met, and another class that may have taken longer has more time for it. */
  nearest: boolean;
  objectiveSeconds?: number;
  verdict: Verdict;
  why?: string;
}

/** Returns nothing if the run measures nothing. */
export function worstMeasures(objectives: readonly ClassObjectives[]): WorstMeasure[] {
  const all = objectives.flatMap(({ class: name, rto, rpo }): Measure[] => {
    const rtoMs = rto.sinceOutageMs ?? rto.sinceTriggerMs;
    return [
      {
        name: 'RTO',
        class: name,
        ...judged(rto),
        ...(rtoMs === undefined ? {} : { measuredMs: rtoMs }),
        ...(rto.sinceOutageAtMostMs === undefined ? {} : { atMostMs: rto.sinceOutageAtMostMs }),
      },
      {
        name: 'RPO',
        class: name,
        ...judged(rpo),
        ...(rpo.measuredMs === undefined ? {} : { measuredMs: rpo.measuredMs }),
      },
    ];
  });
  return (['RTO', 'RPO'] as const).flatMap((name) => {
    const [worst, ...others] = all.filter((each) => each.name === name).toSorted(byBadness);
    if (!worst) return [];
    const hasRivals = others.some((each) => mostOf(each) > mostOf(worst));
    return [{ ...worst, nearest: worst.verdict === 'met' && hasRivals }];
  });
}

type Measure = Omit<WorstMeasure, 'nearest'>;
type Judged = Pick<WorstMeasure, 'objectiveSeconds' | 'verdict' | 'why'>;

function judged({ objectiveSeconds, verdict, why }: ClassObjectives['rto'] | ClassObjectives['rpo']): Judged {
  return {
    verdict,
    ...(objectiveSeconds === undefined ? {} : { objectiveSeconds }),
    ...(why === undefined ? {} : { why }),
  };
}

const ranks = { missed: 0, 'not measured': 1, met: 2, 'no objective': 3 } as const satisfies Record<Verdict, number>;

/** Sorts by verdict, then by the used share of the objective, then by time. */
function byBadness(one: Measure, other: Measure): number {
  return ranks[one.verdict] - ranks[other.verdict] || shareOf(other) - shareOf(one) || mostOf(other) - mostOf(one);
}

function shareOf(measure: Measure): number {
  const { objectiveSeconds } = measure;
  return objectiveSeconds === undefined || objectiveSeconds === 0 ? 0 : mostOf(measure) / objectiveSeconds;
}

function mostOf({ atMostMs, measuredMs = 0 }: Measure): number {
  return atMostMs ?? measuredMs;
}
