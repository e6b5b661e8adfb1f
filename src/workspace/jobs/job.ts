/** A job of Azure Machine Learning as its raw JSON says it (api 2024-04-01): the few fields that are read, and how. */
import type { ArmResource, Json } from '../../azure/azure.ts';
import { isObject, objectAt, textAt } from '../../azure/body/json.ts';

export type RawJob = ArmResource;

export const jobTypes = ['Command', 'Sweep', 'Pipeline', 'AutoML', 'Spark'] as const;

/** All that is not one of these is unfinished, whatever new status Azure thinks of. */
const finished = new Set(['completed', 'failed', 'canceled']);

/** Tags that Understudy sets on a successor. */
export const originTags = {
  /** ARM id of the job that this one takes the place of. */
  origin: 'understudy.origin',
  lineage: 'understudy.lineage',
  hop: 'understudy.hop',
  run: 'understudy.run',
} as const;

/**
 * The tag by which a job's owner decides: `never` (leave it alone), `manual` (list it for a person), `always` (resubmit it
 * even if it may have completed: running it twice does no harm).
 */
export const resumeTag = 'understudy.resume';

const resumeWishes = ['never', 'manual', 'always'] as const;

/**
 * What the tag says, read without regard to case and surrounding blanks; undefined: the job has no such tag. A value that means
 * nothing is `unknown`: its owner wanted something, and only the owner can say what.
 */
export function resumeWishOf(job: RawJob): (typeof resumeWishes)[number] | { unknown: string } | undefined {
  const plain = (text: string) => text.trim().toLowerCase();
  const tags = Object.entries(tagsOf(job)).filter(([key]) => plain(key) === resumeTag);
  const [, value] = tags.find(([key]) => key === resumeTag) ?? tags[0] ?? [];
  if (value === undefined) return undefined;
  return resumeWishes.find((wish) => wish === plain(value)) ?? { unknown: value };
}

/** `its tag understudy.resume says "no", expected "never", "manual" or "always"` */
export function showUnknownWish(value: string): string {
  const [last, ...others] = resumeWishes.map((wish) => `"${wish}"`).toReversed();
  return `its tag ${resumeTag} says "${value}", expected ${others.toReversed().join(', ')} or ${last}`;
}

export function statusOf(job: RawJob): string {
  return textAt(job.properties, 'status') ?? 'Unknown';
}

export function isFinished(status: string): boolean {
  return finished.has(status.toLowerCase());
}

export function typeOf(job: RawJob): string {
  return textAt(job.properties, 'jobType') ?? 'Unknown';
}

export function tagsOf(job: RawJob): Record<string, string> {
  const tags = Object.entries(objectAt(job.properties, 'tags') ?? {});
  return Object.fromEntries(
    tags.flatMap(([key, value]) => (typeof value === 'string' ? [[key, value]] : [])),
  );
}

/** Keys under which the service says, from one version to the next, whose child a job is. */
const parentKeys = [
  'azureml.parentrunid',
  'azureml.pipelinerunid',
  'azureml.rootpipelinerunid',
  'azureml.rootrunid',
];

/** The name of the pipeline (or sweep) of which the job is a part. */
export function parentOf(job: RawJob): string | undefined {
  const parent = textAt(job.properties, 'parentJobName');
  if (parent) return parent;
  const bag = Object.entries(objectAt(job.properties, 'properties') ?? {});
  const found = bag.find(
    ([key, value]) =>
      parentKeys.includes(key.toLowerCase()) && typeof value === 'string' && value !== job.name,
  );
  return found?.[1] as string | undefined;
}

/** Services that a person works in while the job runs; TensorBoard only looks on. */
const interactive = new Set(['jupyterlab', 'jupyter', 'vscode', 'ssh', 'rstudio']);

/** The interactive services that the job asked for: `JupyterLab`, `VSCode`, `SSH`. */
export function interactiveServices(job: RawJob): string[] {
  const services: Json[] = Object.values(objectAt(job.properties, 'services') ?? {});
  return services.flatMap((service) => {
    const type = isObject(service) ? textAt(service, 'jobServiceType') : undefined;
    return type !== undefined && interactive.has(type.toLowerCase().replaceAll('_', '')) ? [type] : [];
  });
}

export function createdAt(job: RawJob): string | undefined {
  return isObject(job['systemData']) ? textAt(job['systemData'], 'createdAt') : undefined;
}

export function ownerOf(job: RawJob): string | undefined {
  return (
    tagsOf(job)['owner'] ?? (isObject(job['systemData']) ? textAt(job['systemData'], 'createdBy') : undefined)
  );
}

/** How people know a job. */
export interface NamedJob {
  name: string;
  /** The name that its owner gave to the job whose successor this is. */
  submittedAs?: string | undefined;
  owner?: string | undefined;
}

/** `job "train-17" of ana`; of a successor `job "us-…" (submitted as "train-17") of ana`. */
export function showJob({ name, submittedAs, owner }: NamedJob): string {
  const first = submittedAs === undefined ? '' : ` (submitted as "${submittedAs}")`;
  return `job "${name}"${first}${owner === undefined ? '' : ` of ${owner}`}`;
}

/** Seconds of the job's own time limit (`limits.timeout`, ISO 8601), if it has one. */
export function timeLimitSeconds(job: RawJob): number | undefined {
  const text = textAt(objectAt(job.properties, 'limits') ?? {}, 'timeout');
  const match = /^P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:([\d.]+)S)?)?$/.exec(text ?? '');
  if (!match) return undefined;
  const [days, hours, minutes, seconds] = match.slice(1).map((part) => Number(part ?? 0));
  return (((days ?? 0) * 24 + (hours ?? 0)) * 60 + (minutes ?? 0)) * 60 + (seconds ?? 0);
}
