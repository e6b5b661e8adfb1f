/** What of a job belongs to its old run and must not be written to another. */
import { parseAzureMlUri, sameName } from '../../azure/ids.ts';
import type { Json, JsonObject } from '../../azure/azure.ts';
import { isObject, objectAt, textAt } from '../../azure/body/json.ts';
import { type RawJob } from '../../workspace/jobs/job.ts';

export interface Stripped {
  properties: JsonObject;
  /** `properties.services.Studio`: what was left out. */
  places: string[];
}

/** Set by the service, each on its own account. `parameters` is read-only too, but only of a Command job. */
const readOnly = ['status', 'sourceJobId', 'parentJobName'];
/** Services that the service itself adds to every job. */
const ownServices = ['studio', 'tracking'];
const runKeys = ['azureml.', '_azureml.', 'mlflow.'];

/** The job's `properties` without what is read-only or bound to the old run. Everything else stays, `null`s too. */
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
    properties['outputs'] = drop('properties.outputs', outputs, (_key, output) =>
      isRunFolder(output, job.name),
    );
  return { properties, places };
}

/** A service keeps what its owner asked for (type, port, nodes), and loses the address it had. */
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

/** The output that Azure adds for the run's own artifacts: `…/ExperimentRun/dcid.{job}`. */
function isRunFolder(output: Json, job: string): boolean {
  const target = isObject(output) ? parseAzureMlUri(textAt(output, 'uri') ?? '')?.target : undefined;
  if (target?.kind !== 'datastore') return false;
  const [folder, run] = target.path.split('/');
  return sameName(folder, 'ExperimentRun') && sameName(run, `dcid.${job}`);
}
