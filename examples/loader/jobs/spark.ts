import { z } from 'zod';
import {
  Inputs,
  JobHead,
  JobIdentity,
  Outputs,
  Text,
  Texts,
  toInputs,
  toJobHead,
  toJobIdentity,
  toOutputs,
} from '../fields.ts';
import { compact, type JsonObject } from '../json.ts';
import { type References } from '../references.ts';

export const SparkJob = z.strictObject({
  ...JobHead,
  type: z.literal('spark').default('spark'),
  code: z.string(),
  entry: z.union([z.strictObject({ file: z.string() }), z.strictObject({ class_name: z.string() })]),
  py_files: z.array(z.string()).optional(),
  jars: z.array(z.string()).optional(),
  files: z.array(z.string()).optional(),
  archives: z.array(z.string()).optional(),
  conf: Texts.optional(),
  args: z.string().optional(),
  inputs: Inputs.optional(),
  outputs: Outputs.optional(),
  environment: z.string().optional(),
  compute: z.string().optional(),
  resources: z.strictObject({ instance_type: z.string(), runtime_version: Text }).optional(),
  identity: JobIdentity.optional(),
});
export type SparkJob = z.infer<typeof SparkJob>;

export async function toSparkJob(job: SparkJob, from: string, references: References): Promise<JsonObject> {
  return compact({
    jobType: 'Spark',
    ...toJobHead(job),
    codeId: await references.code(job.code, from),
    entry:
      'file' in job.entry
        ? { sparkJobEntryType: 'SparkJobPythonEntry', file: job.entry.file }
        : { sparkJobEntryType: 'SparkJobScalaEntry', className: job.entry.class_name },
    pyFiles: job.py_files,
    jars: job.jars,
    files: job.files,
    archives: job.archives,
    conf: job.conf,
    args: job.args,
    inputs: (await toInputs(job.inputs, from, references)) ?? {},
    outputs: toOutputs(job.outputs) ?? {},
    environmentId:
      job.environment === undefined ? undefined : await references.environment(job.environment, from),
    computeId: job.compute === undefined ? undefined : references.compute(job.compute),
    resources:
      job.resources === undefined
        ? undefined
        : { instanceType: job.resources.instance_type, runtimeVersion: job.resources.runtime_version },
    identity: toJobIdentity(job.identity),
  });
}
