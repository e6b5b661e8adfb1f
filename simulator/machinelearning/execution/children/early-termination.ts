/**
 * Which trials of a sweep end before their time, by the policies of Azure Machine Learning. An interval is one report
 * of the primary metric: here one line of a trial's log.
 */

import type { JsonObject } from '../../../contract/index.ts';
import { numberOf } from '../../bodies/fields.ts';

/** The values of a metric in a log, in order: 'loss: 0.12', 'step 9 loss=0.12', '{"loss": 0.12}'. */
export function valuesIn(log: string, metric: string): number[] {
  const name = metric.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`);
  const value = new RegExp(`(?<![\\w.])${name}["']?\\s*[:=]?\\s*(-?\\d+(?:\\.\\d+)?(?:[eE][-+]?\\d+)?)`, 'g');
  return [...log.matchAll(value)].map(([, number]) => Number(number));
}

/** A trial and what it has reported so far. */
export interface Trial {
  name: string;
  isRunning: boolean;
  values: number[];
}

/** The names of the running trials that the policy ends now. `goal`: 'Maximize' or 'Minimize'. */
export function endedEarly(policy: JsonObject, goal: string, trials: readonly Trial[]): string[] {
  const every = Math.max(1, numberOf(policy.evaluationInterval) ?? 1);
  const delay = numberOf(policy.delayEvaluation) ?? 0;
  // Larger is better from here on.
  const sign = goal === 'Maximize' ? 1 : -1;
  const signed = trials.map((trial) => ({ ...trial, values: trial.values.map((value) => sign * value) }));
  return signed
    .filter(({ isRunning, values }) => {
      const interval = Math.floor(values.length / every) * every;
      if (!isRunning || interval === 0 || interval < delay) return false;
      const reports = signed.map((other) => other.values.slice(0, interval)).filter((one) => one.length > 0);
      return isWorse(policy, values.slice(0, interval), reports);
    })
    .map(({ name }) => name);
}

/** `own`: what the trial reported up to the interval; `all`: what each did. */
function isWorse(policy: JsonObject, own: number[], all: number[][]): boolean {
  const best = Math.max(...own);
  switch (policy.policyType) {
    case 'Bandit': {
      const most = Math.max(...all.flat());
      const factor = numberOf(policy.slackFactor);
      if (factor === undefined) return best < most - (numberOf(policy.slackAmount) ?? 0);
      // Of 0.8 with a factor of 0.2: 0.66 where more is better, 0.96 where less is.
      return best < (most >= 0 ? most / (1 + factor) : most * (1 + factor));
    }
    case 'MedianStopping':
      return best < median(all.map(average));
    case 'TruncationSelection': {
      const ranked = all.map((one) => Math.max(...one)).sort((a, b) => a - b);
      const ended = Math.floor((ranked.length * (numberOf(policy.truncationPercentage) ?? 0)) / 100);
      return ended > 0 && best <= (ranked[ended - 1] ?? -Infinity) && best < (ranked.at(-1) ?? best);
    }
    default:
      return false;
  }
}

function average(values: number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function median(values: number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length / 2;
  return ((sorted[Math.ceil(middle) - 1] ?? 0) + (sorted[Math.floor(middle)] ?? 0)) / 2;
}
