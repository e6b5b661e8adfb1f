import { z } from 'zod';
import {
  Distribution,
  Inputs,
  isoDuration,
  JobHead,
  JobIdentity,
  JobResources,
  Literal,
  Outputs,
  QueueSettings,
  Texts,
  toDistribution,
  toInputs,
  toJobHead,
  toJobIdentity,
  toOutputs,
  toQueueSettings,
  toResources,
} from '../fields.ts';
import { compact, type Json, type JsonObject } from '../json.ts';
import { type References } from '../references.ts';

const Range = { min_value: z.number(), max_value: z.number() };
const Normal = { mu: z.number(), sigma: z.number() };
const Parameter = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('choice'), values: z.array(Literal).min(1) }),
  z.strictObject({ type: z.enum(['uniform', 'loguniform']), ...Range }),
  z.strictObject({ type: z.enum(['quniform', 'qloguniform']), ...Range, q: z.number() }),
  z.strictObject({ type: z.enum(['normal', 'lognormal']), ...Normal }),
  z.strictObject({ type: z.enum(['qnormal', 'qlognormal']), ...Normal, q: z.number() }),
  z.strictObject({ type: z.literal('randint'), upper: z.number().int() }),
]);

const Algorithm = z.union([
  z.enum(['random', 'grid', 'bayesian']).transform((type) => ({ type, rule: undefined, seed: undefined })),
  z.strictObject({
    type: z.enum(['random', 'grid', 'bayesian']),
    rule: z.enum(['random', 'sobol']).optional(),
    seed: z.number().int().optional(),
  }),
]);

const Policy = {
  evaluation_interval: z.number().int().default(0),
  delay_evaluation: z.number().int().default(0),
};
const EarlyTermination = z.discriminatedUnion('type', [
  z.strictObject({
    type: z.literal('bandit'),
    slack_factor: z.number().optional(),
    slack_amount: z.number().optional(),
    ...Policy,
  }),
  z.strictObject({ type: z.literal('median_stopping'), ...Policy }),
  z.strictObject({
    type: z.literal('truncation_selection'),
    truncation_percentage: z.number().int(),
    ...Policy,
  }),
]);

export const SweepJob = z.strictObject({
  ...JobHead,
  type: z.literal('sweep').default('sweep'),
  sampling_algorithm: Algorithm,
  search_space: z.record(z.string(), Parameter),
  objective: z.strictObject({ goal: z.enum(['minimize', 'maximize']), primary_metric: z.string() }),
  early_termination: EarlyTermination.optional(),
  limits: z
    .strictObject({
      max_total_trials: z.number().int().positive().optional(),
      max_concurrent_trials: z.number().int().positive().optional(),
      timeout: z.number().positive().optional(),
      trial_timeout: z.number().positive().optional(),
    })
    .optional(),
  trial: z.strictObject({
    code: z.string().optional(),
    command: z.string(),
    environment: z.string(),
    environment_variables: Texts.optional(),
    resources: JobResources.optional(),
    distribution: Distribution.optional(),
  }),
  inputs: Inputs.optional(),
  outputs: Outputs.optional(),
  compute: z.string().optional(),
  identity: JobIdentity.optional(),
  queue_settings: QueueSettings.optional(),
});
export type SweepJob = z.infer<typeof SweepJob>;

export async function toSweepJob(job: SweepJob, from: string, references: References): Promise<JsonObject> {
  return compact({
    jobType: 'Sweep',
    ...toJobHead(job),
    computeId: job.compute === undefined ? undefined : references.compute(job.compute),
    samplingAlgorithm: toAlgorithm(job.sampling_algorithm),
    searchSpace: Object.fromEntries(
      Object.entries(job.search_space).map(([name, parameter]): [string, Json] => [
        name,
        toParameter(parameter),
      ]),
    ),
    objective: { goal: job.objective.goal, primaryMetric: job.objective.primary_metric },
    earlyTermination: toEarlyTermination(job.early_termination),
    limits: toLimits(job.limits),
    trial: await toTrial(job.trial, from, references),
    inputs: (await toInputs(job.inputs, from, references)) ?? {},
    outputs: toOutputs(job.outputs) ?? {},
    identity: toJobIdentity(job.identity),
    queueSettings: toQueueSettings(job.queue_settings),
  });
}

async function toTrial(trial: SweepJob['trial'], from: string, references: References): Promise<JsonObject> {
  return compact({
    codeId: trial.code === undefined ? undefined : await references.code(trial.code, from),
    command: trial.command,
    environmentId: await references.environment(trial.environment, from),
    environmentVariables: trial.environment_variables,
    resources: toResources(trial.resources),
    distribution: toDistribution(trial.distribution),
  });
}

function toLimits(limits: SweepJob['limits']): JsonObject | undefined {
  if (limits === undefined) return undefined;
  return compact({
    jobLimitsType: 'Sweep',
    maxTotalTrials: limits.max_total_trials,
    maxConcurrentTrials: limits.max_concurrent_trials,
    timeout: limits.timeout === undefined ? undefined : isoDuration(limits.timeout),
    trialTimeout: limits.trial_timeout === undefined ? undefined : isoDuration(limits.trial_timeout),
  });
}

function toAlgorithm(algorithm: SweepJob['sampling_algorithm']): JsonObject {
  const types = { random: 'Random', grid: 'Grid', bayesian: 'Bayesian' } as const;
  return compact({
    samplingAlgorithmType: types[algorithm.type],
    rule: algorithm.rule,
    seed: algorithm.seed,
  });
}

/** The service takes a search space as the lists of the older HyperDrive: the distribution, then its arguments. */
function toParameter(parameter: z.infer<typeof Parameter>): Json {
  switch (parameter.type) {
    case 'choice':
      return ['choice', [parameter.values]];
    case 'uniform':
    case 'loguniform':
      return [parameter.type, [parameter.min_value, parameter.max_value]];
    case 'quniform':
    case 'qloguniform':
      return [parameter.type, [parameter.min_value, parameter.max_value, parameter.q]];
    case 'normal':
    case 'lognormal':
      return [parameter.type, [parameter.mu, parameter.sigma]];
    case 'qnormal':
    case 'qlognormal':
      return [parameter.type, [parameter.mu, parameter.sigma, parameter.q]];
    default:
      return ['randint', [parameter.upper]];
  }
}

function toEarlyTermination(policy: SweepJob['early_termination']): JsonObject | undefined {
  if (policy === undefined) return undefined;
  const schedule = {
    evaluationInterval: policy.evaluation_interval,
    delayEvaluation: policy.delay_evaluation,
  };
  switch (policy.type) {
    case 'bandit':
      return {
        policyType: 'Bandit',
        ...schedule,
        slackFactor: policy.slack_factor ?? 0,
        slackAmount: policy.slack_amount ?? 0,
      };
    case 'median_stopping':
      return { policyType: 'MedianStopping', ...schedule };
    default:
      return {
        policyType: 'TruncationSelection',
        ...schedule,
        truncationPercentage: policy.truncation_percentage,
      };
  }
}
