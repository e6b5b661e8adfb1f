/** Where a job writes its checkpoints, and whether its successor can resume from them. */
import { parseAzureMlUri } from '../../azure/ids.ts';
import type { Topology } from '../../topology/topology.ts';
import { isObject, objectAt, textAt } from '../../azure/body/json.ts';
import { typeOf, type RawJob } from './job.ts';

export type CheckpointPolicy = Topology['jobs']['checkpoint'];

/** A path in a datastore. */
export interface DatastorePath {
  datastore: string;
  /** Path below the datastore's container, without a leading slash. */
  path: string;
}

/** Returns the output's place in a datastore. Undefined if the job has no such output, or it is not in a datastore. */
export function outputPlace(job: RawJob, output: string): DatastorePath | undefined {
  const declared = objectAt(job.properties, 'outputs')?.[output];
  if (!isObject(declared)) return undefined;
  const uri = textAt(declared, 'uri') || defaultOutputUri;
  const filled = uri
    .replaceAll(/\$\{\{\s*default_datastore\s*\}\}/g, 'workspaceblobstore')
    .replaceAll(/\$\{\{\s*name\s*\}\}/g, job.name)
    .replaceAll(/\$\{\{\s*output_name\s*\}\}/g, output);
  const target = parseAzureMlUri(filled)?.target;
  return target?.kind === 'datastore' ? { datastore: target.datastore, path: target.path } : undefined;
}

/** Where Azure puts an output that names no path. */
const defaultOutputUri = 'azureml://datastores/${{default_datastore}}/paths/azureml/${{name}}/${{output_name}}/';

/** Where a job's last checkpoint may be. What it wrote itself comes before what it resumed from. */
export function checkpointPlaces(job: RawJob, policy: CheckpointPolicy): DatastorePath[] {
  const places = [outputPlace(job, policy.output), wentOnFrom(job, policy)];
  return places.filter((place) => place !== undefined);
}

/**
 * The folder, below a datastore's container, of the copied checkpoint from which a successor resumes. Nothing else
 * writes there, so that it contains no other history. Another recovery point gets another folder.
 */
export function checkpointFolder(successor: string, recoveryPoint: string): string {
  return `${resumeRoot}/${successor}/${recoveryPoint}`;
}

const resumeRoot = 'understudy/resume';

/**
 * Returns the folder that this job, a successor, was given to resume from. Undefined if its input is something else, or
 * its owner's.
 */
export function wentOnFrom(job: RawJob, { input }: CheckpointPolicy): DatastorePath | undefined {
  const declared = objectAt(job.properties, 'inputs')?.[input];
  const target = isObject(declared) ? parseAzureMlUri(textAt(declared, 'uri') ?? '')?.target : undefined;
  if (target?.kind !== 'datastore') return undefined;
  const path = target.path.replace(/^\/+|\/+$/g, '');
  return path.startsWith(`${resumeRoot}/${job.name}/`) ? { datastore: target.datastore, path } : undefined;
}

/**
 * Whether a successor would use a checkpoint: it declares the input, or its command reads it. The trials of a sweep and
 * of AutoML write checkpoints of their own, and start again.
 */
export function takesCheckpoint(job: RawJob, { input }: CheckpointPolicy): boolean {
  const type = typeOf(job);
  if (type === 'Sweep' || type === 'AutoML') return false;
  if (objectAt(job.properties, 'inputs')?.[input] !== undefined) return true;
  const command = `${textAt(job.properties, 'command') ?? ''} ${textAt(job.properties, 'args') ?? ''}`;
  const expressions = command.matchAll(/\$\{\{\s*inputs\.([\w-]+)\s*\}\}/g);
  return [...expressions].some(([, name]) => name === input);
}
