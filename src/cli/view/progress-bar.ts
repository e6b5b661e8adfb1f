/** How much of a step's work is done: a bar if the total is known, figures if not. */
import { showBytes } from '../../topology/figures.ts';
import type { StepProgress } from '../../run/progress.ts';

const cells = 12;

/** `████░░░░ 120 of 212 blobs, 14.1 MB`; without a total, only what is done. What it waits for comes last. */
export function showProgress({ unit, done, total, bytes, waitsFor }: NonNullable<StepProgress['progress']>): string {
  const size = `${bytes === undefined ? '' : `, ${showBytes(bytes)}`}${waitsFor === undefined ? '' : `; waits ${waitsFor}`}`;
  if (total === undefined || total <= 0) return `${done} ${unit}${size}`;
  const share = Math.min(1, Math.max(0, done / total));
  // Full only when it is complete: rounding must not announce the end.
  const full = Math.floor(share * cells);
  return `${'█'.repeat(full)}${'░'.repeat(cells - full)} ${done} of ${total} ${unit}${size}`;
}
