import { z } from 'zod';
import {
  Distribution,
  Inputs,
  isoDuration,
  JobHead,
  JobIdentity,
  JobResources,
  Outputs,
  QueueSettings,
  Services,
  Texts,
  toDistribution,
  toInputs,
  toJobHead,
  toJobIdentity,
  toOutputs,
  toQueueSettings,
  toResources,
  toServices,
} from '../fields.ts';
import { compact, type JsonObject } from '../json.ts';
import { type References } from '../references.ts';

export const CommandJob = z.strictObject({
  ...JobHead,
  type: z.literal('command').default('command'),
  code: z.string().optional(),
  command: z.string(),
  environment: z.string(),
  environment_variables: Texts.optional(),
  compute: z.string().optional(),
  inputs: Inputs.optional(),
  outputs: Outputs.optional(),
  resources: JobResources.optional(),
  distribution: Distribution.optional(),
  limits: z.strictObject({ timeout: z.number().positive() }).optional(),
  identity: JobIdentity.optional(),
  services: Services.optional(),
  queue_settings: QueueSettings.optional(),
});
export type CommandJob = z.infer<typeof CommandJob>;

export async function toCommandJob(
  job: CommandJob,
  from: string,
  references: References,
): Promise<JsonObject> {
  return compact({
    jobType: 'Command',
    ...toJobHead(job),
    command: job.command,
    codeId: job.code === undefined ? undefined : await references.code(job.code, from),
    environmentId: await references.environment(job.environment, from),
    environmentVariables: job.environment_variables ?? {},
    computeId: job.compute === undefined ? undefined : references.compute(job.compute),
    inputs: (await toInputs(job.inputs, from, references)) ?? {},
    outputs: toOutputs(job.outputs) ?? {},
    resources: toResources(job.resources),
    distribution: toDistribution(job.distribution),
    limits:
      job.limits === undefined
        ? undefined
        : { jobLimitsType: 'Command', timeout: isoDuration(job.limits.timeout) },
    identity: toJobIdentity(job.identity),
    services: toServices(job.services),
    queueSettings: toQueueSettings(job.queue_settings),
  });
}
