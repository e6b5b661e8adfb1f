/** Fields of the topology that are durations, each with the limits in which it makes sense. */
import { z } from 'zod';
import { durationPattern, toSeconds } from './duration.ts';

export const Duration = z
  .string()
  .regex(durationPattern, 'expected a duration such as "90s", "15m", "2h" or "1d"')
  .describe('A whole number and a unit: s, m, h or d.');

/** The longest delay of Node's timers in milliseconds: a longer one fires at once. */
const longestMs = 2 ** 31 - 1;

function lasting(atLeastMs: number, atMostMs: number, message: string) {
  return Duration.refine((text) => {
    if (!durationPattern.test(text)) return true; // said already
    const ms = toSeconds(text) * 1000;
    return ms >= atLeastMs && ms <= atMostMs;
  }, message);
}

const dayMs = 86_400_000;

/** How long something may take. Zero would leave no time to do it. */
export const TimeLimit = lasting(1000, longestMs, 'expected at least "1s" and at most "24d"');

/** How long a gate asks. A person who is asleep answers in the morning. */
export const GateTime = lasting(60_000, 14 * dayMs, 'expected at least "1m" and at most "14d"');

/** How long jobs have before a switchover: a training job may need a night. */
export const DrainTime = lasting(1000, 14 * dayMs, 'expected at least "1s" and at most "14d"');

/** An objective of zero, or of more than a quarter of a year, is a mistake. */
export const Objective = lasting(1000, 90 * dayMs, 'expected at least "1s" and at most "90d"');

/** Copies that are not read for a year are not protected. */
export const ScrubPeriod = z
  .string()
  .regex(/^(\d+(s|m|h|d)|off)$/, 'expected a duration such as "7d", or "off"')
  .refine((text) => {
    if (!durationPattern.test(text)) return true; // `off`, or said already
    const ms = toSeconds(text) * 1000;
    return ms >= 1000 && ms <= 365 * dayMs;
  }, 'expected at least "1s" and at most "365d", or "off"')
  .describe(
    'Within which time every copy that recovery points refer to is read again and compared with its digest, a share with each `replicate`; or `off`.',
  );

/** Every takeover waits this long. */
export const Skew = lasting(0, dayMs / 24, 'expected at most "1h"');
