/** How many GPUs a job uses while it runs. Work lost with a region is reported in GPU-hours. Pure. */
import type { Json, JsonObject } from '../../azure/azure.ts';
import { isObject, numberAt, objectAt, textAt } from '../../azure/body/json.ts';
import { sameName } from '../../azure/ids.ts';
import type { ComputeSummary } from '../../plan/recovery-point-summary.ts';
import { typeOf, type RawJob } from './job.ts';

/** Number of GPUs by VM size in lower case, from the region's list of sizes. */
export type GpusOfSizes = Readonly<Record<string, number>>;

/** Undefined if it is not known. A job on machines without GPUs has 0, whatever its kind. */
export function gpusOf(
  job: RawJob,
  computes: readonly ComputeSummary[],
  sizes: GpusOfSizes | undefined,
): number | undefined {
  const perNode = [...sizesOf(job, computes)].map((size) => size && sizes?.[size.toLowerCase()]);
  if (perNode.length > 0 && perNode.every((gpus) => gpus === 0)) return 0;
  const [gpus] = perNode;
  if (perNode.length !== 1 || gpus === undefined || typeof gpus === 'string') return undefined;
  const nodes = nodesOf(job);
  return nodes === undefined ? undefined : gpus * nodes;
}

/** The VM sizes of the computes that the job names. Contains undefined if a size is not known. */
function sizesOf({ properties }: RawJob, computes: readonly ComputeSummary[]): Set<string | undefined> {
  const named = [...computesIn(properties)];
  if (named.length === 0) return new Set([instanceTypeOf(properties)]);
  return new Set(
    named.map((name) => computes.find((each) => sameName(each.name, name.split('/').at(-1) ?? ''))?.vmSize),
  );
}

/**
 * The names of the computes that a job runs on, as they are spelled. Ignores expressions that the service resolves
 * (`${{…}}`).
 */
export function computesOf({ properties }: RawJob): string[] {
  const names = [...computesIn(properties)].map((each) => each.split('/').at(-1) ?? each);
  return [...new Set(names)].filter((name) => !name.includes('${{'));
}

/** Names or ids at any depth: the steps of a pipeline have computes of their own. */
function* computesIn(value: Json | undefined): Iterable<string> {
  if (Array.isArray(value)) for (const each of value) yield* computesIn(each);
  if (!isObject(value)) return;
  for (const [key, each] of Object.entries(value)) {
    if (!['computeId', 'compute', 'defaultCompute', 'default_compute'].includes(key)) yield* computesIn(each);
    else if (typeof each === 'string' && each !== '') yield each.replace(/^azureml:/i, '');
  }
}

/** A job without a compute runs on machines that Azure picks, of the size that it asks for. */
function instanceTypeOf(properties: JsonObject): string | undefined {
  return textAt(objectAt(properties, 'resources') ?? {}, 'instanceType');
}

/** How many machines it uses at a time. Undefined if it is not known. */
export function nodesOf(job: RawJob): number | undefined {
  const { properties } = job;
  switch (typeOf(job)) {
    case 'Command':
      return numberAt(objectAt(properties, 'resources') ?? {}, 'instanceCount') ?? 1;
    case 'Sweep': {
      const trials = numberAt(objectAt(properties, 'limits') ?? {}, 'maxConcurrentTrials');
      const each = numberAt(objectAt(objectAt(properties, 'trial') ?? {}, 'resources') ?? {}, 'instanceCount') ?? 1;
      return trials && trials * each;
    }
    default:
      // The number of machines that pipeline steps or AutoML trials use at a time varies.
      return undefined;
  }
}
