/** Removes from a job what belongs to its old run and must not be written to another. */
import { parseAzureMlUri, sameName } from '../../azure/ids.ts';
import type { Json, JsonObject } from '../../azure/azure.ts';
import { isObject, objectAt, textAt } from '../../azure/body/json.ts';
import { type RawJob } from '../../workspace/jobs/job.ts';

/** A job's properties after the removal. */
export interface Stripped {
  properties: JsonObject;
  /** What was removed: `properties.services.Studio`. */
  places: string[];
}

/** Set by the service. `parameters` is read-only too, but only in a Command job. */
const readOnly = ['status', 'sourceJobId', 'parentJobName'];
/** Services that Azure adds to every job. */
const ownServices = ['studio', 'tracking'];
const runKeys = ['azureml.', '_azureml.', 'mlflow.'];

/**
 * Returns the job's `properties` without what is read-only or belongs to the old run. Everything else stays, including
 * `null`s.
 */
export function stripRunBound(job: RawJob): Stripped {
  const places: string[] = [];
  const drop = (where: string, from: JsonObject, gone: (key: string, value: Json) => boolean): JsonObject =>
    Object.fromEntries(
      Object.entries(from).filter(([key, value]) => {
        if (!gone(key, value)) return true;
        places.push(`${where}.${key}`);
        return false;
      }),
    );
  const command = textAt(job.properties, 'jobType') === 'Command';
  const properties = drop(
    'properties',
    job.properties,
    (key) => readOnly.includes(key) || (command && key === 'parameters'),
  );
  const bag = objectAt(properties, 'properties');
  if (bag) {
    properties['properties'] = drop('properties.properties', bag, (key) =>
      runKeys.some((prefix) => key.toLowerCase().startsWith(prefix)),
    );
  }
  const services = objectAt(properties, 'services');
  if (services) {
    properties['services'] = stripServices(services, drop);
    if (Object.keys(properties['services']).length === 0) delete properties['services'];
  }
  const outputs = objectAt(properties, 'outputs');
  if (outputs)
    properties['outputs'] = drop('properties.outputs', outputs, (_key, output) => isRunFolder(output, job.name));
  return { properties, places };
}

/** A service keeps what its owner asked for (type, port, nodes), and loses the address that it had. */
function stripServices(
  services: JsonObject,
  drop: (where: string, from: JsonObject, gone: (key: string, value: Json) => boolean) => JsonObject,
): JsonObject {
  const asked = drop('properties.services', services, (_key, service) => {
    const type = isObject(service) ? (textAt(service, 'jobServiceType') ?? '') : '';
    return type === '' || ownServices.includes(type.toLowerCase());
  });
  for (const [name, service] of Object.entries(asked)) {
    if (!isObject(service)) continue;
    asked[name] = drop(`properties.services.${name}`, service, (key) =>
      ['endpoint', 'status', 'errorMessage'].includes(key),
    );
  }
  return asked;
}

/** Whether it is the output that Azure adds for the run's own artifacts: `…/ExperimentRun/dcid.{job}`. */
function isRunFolder(output: Json, job: string): boolean {
  const target = isObject(output) ? parseAzureMlUri(textAt(output, 'uri') ?? '')?.target : undefined;
  if (target?.kind !== 'datastore') return false;
  const [folder, run] = target.path.split('/');
  return sameName(folder, 'ExperimentRun') && sameName(run, `dcid.${job}`);
}
