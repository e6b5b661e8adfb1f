/** Describes a job of Azure Machine Learning in platform-independent terms. Pure. */
import type { Json } from '../azure/azure.ts';
import { parseAzureMlUri, type Target } from '../azure/azureml-uri.ts';
import { objectAt, textAt } from '../azure/body/json.ts';
import { eachText } from '../azure/body/json-texts.ts';
import type { JobDescription } from '../run/work/job-platform.ts';
import { outputPlace } from './jobs/checkpoint.ts';
import { computesOf, nodesOf } from './jobs/gpus.ts';
import { timeLimitSeconds, typeOf, type RawJob } from './jobs/job.ts';
import { withoutSecretTexts } from '../azure/body/secret-texts.ts';

/** How many characters of a command line to keep. The job's spec has all of it. */
const longestCommand = 1000;

/** Returns a job's description. */
export function describeJob(job: RawJob): JobDescription {
  const nodes = nodesOf(job);
  const limit = timeLimitSeconds(job);
  return {
    runs: withoutSecretTexts(textAt(job.properties, 'command') ?? typeOf(job)).slice(0, longestCommand),
    computes: computesOf(job),
    ...(nodes === undefined ? {} : { nodes }),
    reads: readsOf(job),
    writes: writesOf(job),
    ...(limit === undefined ? {} : { timeLimitSeconds: limit }),
  };
}

/** Everything that its spec refers to as a whole, except its outputs. */
function readsOf({ properties }: RawJob): JobDescription['reads'] {
  const found = new Map<string, JobDescription['reads'][number]>();
  eachText(properties, (text, _place, keys) => {
    if (keys.includes('outputs')) return;
    const read = readIn(parseAzureMlUri(text)?.target);
    if (read) found.set(JSON.stringify(read), read);
  });
  return [...found.values()];
}

/** What a reference reads from datastores and other jobs. Undefined if it is something else. */
function readIn(target: Target | undefined): JobDescription['reads'][number] | undefined {
  switch (target?.kind) {
    case 'job-output':
      return { job: target.job, output: target.output };
    case 'run':
      return { job: target.run, output: 'artifacts' };
    case 'datastore':
      return { store: target.datastore, path: plainPath(target.path) };
    default:
      return undefined;
  }
}

function writesOf(job: RawJob): JobDescription['writes'] {
  const outputs: Record<string, Json> = objectAt(job.properties, 'outputs') ?? {};
  return Object.keys(outputs).flatMap((output) => {
    const place = outputPlace(job, output);
    // Other expressions are known only once the job runs.
    if (!place || place.path.includes('${{')) return [];
    return [{ output, store: place.datastore, path: plainPath(place.path) }];
  });
}

function plainPath(path: string): string {
  return path.replace(/^\/+|\/+$/g, '');
}
