/**
 * One contender, in a process of its own whose clock is scaled: `node contender.ts WHO SETTINGS` with WHO `product` or
 * `naive`. It prints one line of JSON, `Outcome`.
 */
import { scaleClock } from './scaled-clock.ts';
import type { Outcome, Settings } from './benchmark.ts';

const [who, text] = process.argv.slice(2);
const settings = JSON.parse(text ?? '{}') as Settings;
scaleClock(settings.scale);
// Only now: what is imported takes the scaled timers.
const outcome: Outcome =
  who === 'product'
    ? await (await import('./product.ts')).resubmitAll(settings)
    : await (await import('./naive.ts')).resubmitAll(settings);
console.log(JSON.stringify({ ...outcome, peakMiB: process.resourceUsage().maxRSS / 1024 } satisfies Outcome));
process.exit(0);
