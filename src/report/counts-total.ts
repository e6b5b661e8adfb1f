/** Counts of the same things in the same phase, added up. */
import type { CountsRow } from './schema.ts';

/** The sum of several rows of counts. */
export interface CountsTotal {
  expected: number;
  done: number;
  skipped: number;
  failed: number;
  /** Whether each of its rows adds up. */
  reconciled: boolean;
}

/** Rows of the same kind and phase, and their sum. */
export interface CountsGroup {
  kind: string;
  phase?: NonNullable<CountsRow['phase']>;
  rows: CountsRow[];
  /** Present if there is more than one row. */
  total?: CountsTotal;
}

/** Groups rows by kind, and within a kind by phase: what was restored and what was read back are not added together. */
export function countGroups(rows: readonly CountsRow[]): CountsGroup[] {
  return [...Map.groupBy(rows, ({ kind, phase }) => `${kind} ${phase ?? ''}`).values()].flatMap((group) => {
    const [first] = group;
    if (!first) return [];
    const { kind, phase } = first;
    const total = group.length > 1 ? { total: totalOf(group) } : {};
    return [{ kind, ...(phase && { phase }), rows: group, ...total }];
  });
}

/** Adds up rows of the same kind. */
export function totalOf(rows: readonly CountsRow[]): CountsTotal {
  const sum = (of: (row: CountsRow) => number) => rows.reduce((all, row) => all + of(row), 0);
  const parts = (all: CountsRow['skipped']) => all.reduce((count, part) => count + part.count, 0);
  return {
    expected: sum(({ expected }) => expected),
    done: sum(({ done }) => done),
    skipped: sum(({ skipped }) => parts(skipped)),
    failed: sum(({ failed }) => parts(failed)),
    reconciled: rows.every(({ reconciled }) => reconciled),
  };
}
