import { toAutoMLJob } from './jobs/automl.ts';
import { toCommandJob } from './jobs/command.ts';
import { toPipelineJob } from './jobs/pipeline.ts';
import { toSparkJob } from './jobs/spark.ts';
import { toSweepJob } from './jobs/sweep.ts';
import { type JsonObject } from './json.ts';
import { type References } from './references.ts';
import { type Job } from './workspace-files.ts';

/** The `properties` of a job's request: what its YAML says, with every reference in it resolved. */
export function convertJob(job: Job, from: string, references: References): Promise<JsonObject> {
  switch (job.type) {
    case 'command':
      return toCommandJob(job.content, from, references);
    case 'sweep':
      return toSweepJob(job.content, from, references);
    case 'pipeline':
      return toPipelineJob(job.content, from, references);
    case 'automl':
      return toAutoMLJob(job.content, from, references);
    default:
      return toSparkJob(job.content, from, references);
  }
}
