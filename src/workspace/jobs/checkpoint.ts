/** Where a job writes its checkpoints, and whether its successor can go on from them. */
import { parseAzureMlUri } from '../../azure/ids.ts';
import type { Topology } from '../../topology/topology.ts';
import { isObject, objectAt, textAt } from '../../azure/body/json.ts';
import { typeOf, type RawJob } from './job.ts';

export type CheckpointPolicy = Topology['jobs']['checkpoint'];

export interface DatastorePath {
  datastore: string;
  /** Below the datastore's container, without a leading slash. */
  path: string;
}

/** The output of a job, as a place in a datastore; undefined where it has no such output or it lies in no datastore. */
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

/** Where Azure puts an output that names no place of its own. */
const defaultOutputUri =
  'azureml://datastores/${{default_datastore}}/paths/azureml/${{name}}/${{output_name}}/';

/** Where the last checkpoint of a job may be: what it wrote itself comes before what it went on from. */
export function checkpointPlaces(job: RawJob, policy: CheckpointPolicy): DatastorePath[] {
  const places = [outputPlace(job, policy.output), wentOnFrom(job, policy)];
  return places.filter((place) => place !== undefined);
}

/**
 * Below a datastore's container: the copy of a recovery point's checkpoint from which a successor goes on. No one else writes there, so
 * that nothing of another history gets into it, and another recovery point gets another folder.
 */
export function checkpointFolder(successor: string, recoveryPoint: string): string {
  return `${resumeRoot}/${successor}/${recoveryPoint}`;
}

const resumeRoot = 'understudy/resume';

/** The folder that this job, a successor, was given to go on from; undefined where its input is something else, or its owner's. */
export function wentOnFrom(job: RawJob, { input }: CheckpointPolicy): DatastorePath | undefined {
  const declared = objectAt(job.properties, 'inputs')?.[input];
  const target = isObject(declared) ? parseAzureMlUri(textAt(declared, 'uri') ?? '')?.target : undefined;
  if (target?.kind !== 'datastore') return undefined;
  const path = target.path.replace(/^\/+|\/+$/g, '');
  return path.startsWith(`${resumeRoot}/${job.name}/`) ? { datastore: target.datastore, path } : undefined;
}

/**
 * Whether a successor would take a checkpoint: it declares the input, or its command reads it. The trials of a sweep and of
 * AutoML write their own checkpoints, and start again.
 */
export function takesCheckpoint(job: RawJob, { input }: CheckpointPolicy): boolean {
  const type = typeOf(job);
  if (type === 'Sweep' || type === 'AutoML') return false;
  if (objectAt(job.properties, 'inputs')?.[input] !== undefined) return true;
  const command = `${textAt(job.properties, 'command') ?? ''} ${textAt(job.properties, 'args') ?? ''}`;
  const expressions = command.matchAll(/\$\{\{\s*inputs\.([\w-]+)\s*\}\}/g);
  return [...expressions].some(([, name]) => name === input);
}
