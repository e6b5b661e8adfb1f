/** Figures as they are printed: a value with its unit, and the same of a named peer with the ratio of the two. */
import { availableParallelism, cpus, loadavg } from 'node:os';

export interface Figure {
  what: string;
  value: number;
  unit: string;
  /** Measured in the same run. */
  peer?: { name: string; value: number };
}

/** The middle value; of an even number of values, the mean of the two in the middle. RangeError if there is none. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const half = sorted.length / 2;
  const pair = Number.isInteger(half) ? sorted.slice(half - 1, half + 1) : [sorted[Math.floor(half)]];
  if (pair.some((value) => value === undefined) || pair.length === 0)
    throw new RangeError('no value to take the median of');
  return pair.reduce<number>((sum, value) => sum + (value ?? 0), 0) / pair.length;
}

/**
 * Runs contenders in turn, `rounds` times over, so that what else the machine does meets all of them alike; returns the
 * median of each. `round` counts from 0.
 */
export async function alternate<K extends string>(
  rounds: number,
  contenders: Record<K, (round: number) => Promise<number>>,
): Promise<Record<K, number>> {
  const names = Object.keys(contenders) as K[];
  const measured = new Map<K, number[]>(names.map((name) => [name, []]));
  for (let round = 0; round < rounds; round++) {
    // Each round begins with another one: none is always the first after a pause.
    const order = [...names.slice(round % names.length), ...names.slice(0, round % names.length)];
    for (const name of order) measured.get(name)?.push(await contenders[name](round));
  }
  return Object.fromEntries(names.map((name) => [name, median(measured.get(name) ?? [])])) as Record<K, number>;
}

/** Seconds that `work` takes. */
export async function timed(work: () => Promise<unknown>): Promise<number> {
  const began = performance.now();
  await work();
  return (performance.now() - began) / 1000;
}

/**
 * Seconds of a processor that this process spends while `work` is done: on a machine that others use too, a truer
 * measure of work that waits for nothing outside the process.
 */
export async function processorSeconds(work: () => Promise<unknown>): Promise<number> {
  const before = process.cpuUsage();
  await work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1e6;
}

export function print(title: string, figures: readonly Figure[], notes: readonly string[] = []): void {
  console.log(`\n${title}`);
  const rows = figures.map(({ what, value, unit, peer }) => [
    what,
    `${show(value)} ${unit}`,
    peer ? `${peer.name}: ${show(peer.value)} ${unit}` : '',
    peer ? `ratio ${show(value / peer.value)}` : '',
  ]);
  const widths = [0, 1, 2].map((column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  for (const row of rows) {
    const cells = row.map((cell, column) => {
      const width = widths[column] ?? 0;
      return column === 1 ? cell.padStart(width) : cell.padEnd(width);
    });
    console.log(`  ${cells.join('   ').trimEnd()}`);
  }
  for (const note of notes) console.log(`  ${note}`);
}

/** What the figures were measured on. */
export function machine(): string {
  const load = loadavg().map((value) => value.toFixed(1));
  return `${availableParallelism()} × ${cpus()[0]?.model.trim() ?? 'CPU'}, Node ${process.version}, load ${load[0]} before the run`;
}

function show(value: number): string {
  if (!Number.isFinite(value)) return '–';
  const digits = Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : 2;
  return value.toLocaleString('en', { minimumFractionDigits: digits, maximumFractionDigits: digits });
}

/** A whole number above 0. RangeError naming the option otherwise. */
export function countOf(option: string, text: string | undefined): number {
  const value = Number(text);
  if (Number.isInteger(value) && value > 0) return value;
  throw new RangeError(`--${option}: expected a whole number above 0, got "${text ?? ''}"`);
}

/** A whole number, 0 too. RangeError naming the option otherwise. */
export function wholeOf(option: string, text: string | undefined): number {
  const value = Number(text);
  if (Number.isInteger(value) && value >= 0 && text !== '') return value;
  throw new RangeError(`--${option}: expected a whole number, got "${text ?? ''}"`);
}
