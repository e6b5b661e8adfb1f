/**
 * Takes a recovery point and moves, in a process of its own whose clock is scaled: `node mover.ts SETTINGS`. It prints
 * one line of JSON, `Moved`.
 */
import { scaleClock } from '../jobs/scaled-clock.ts';
import type { Moved, Settings } from './benchmark.ts';

const settings = JSON.parse(process.argv[2] ?? '{}') as Settings;
scaleClock(settings.scale);
// Only now: what is imported takes the scaled timers.
const { moveAll } = await import('./move-all.ts');
const moved: Moved = await moveAll(settings);
console.log(JSON.stringify({ ...moved, peakMiB: process.resourceUsage().maxRSS / 1024 } satisfies Moved));
process.exit(0);
