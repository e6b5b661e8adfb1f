/** A job of Azure Machine Learning as raw JSON (api 2024-04-01), and the few fields of it that are read. */
import type { ArmResource, Json } from '../../azure/azure.ts';
import { isObject, objectAt, textAt } from '../../azure/body/json.ts';

export type RawJob = ArmResource;

export const jobTypes = ['Command', 'Sweep', 'Pipeline', 'AutoML', 'Spark'] as const;

/** Every other status, including new ones of Azure, counts as unfinished. */
const finished = new Set(['completed', 'failed', 'canceled']);

/** Tags that Understudy sets on a successor. */
export const originTags = {
  /** ARM id of the job that this one replaces. */
  origin: 'understudy.origin',
  lineage: 'understudy.lineage',
  hop: 'understudy.hop',
  run: 'understudy.run',
} as const;

/**
 * The tag by which a job's owner decides: `never` (do nothing), `manual` (list it for a person), `always` (resubmit it
 * even if it may have completed: running it twice does no harm).
 */
export const resumeTag = 'understudy.resume';

const resumeWishes = ['never', 'manual', 'always'] as const;

/**
 * Returns the value of the tag, ignoring case and surrounding blanks. Undefined if the job does not have the tag. An
 * unknown value is returned as `unknown`: only the owner knows what it should mean.
 */
export function resumeWishOf(job: RawJob): (typeof resumeWishes)[number] | { unknown: string } | undefined {
  const plain = (text: string) => text.trim().toLowerCase();
  const tags = Object.entries(tagsOf(job)).filter(([key]) => plain(key) === resumeTag);
  const [, value] = tags.find(([key]) => key === resumeTag) ?? tags[0] ?? [];
  if (value === undefined) return undefined;
  return resumeWishes.find((wish) => wish === plain(value)) ?? { unknown: value };
}

/** Example: `its tag understudy.resume says "no", expected "never", "manual" or "always"`. */
export function showUnknownWish(value: string): string {
  const [last, ...others] = resumeWishes.map((wish) => `"${wish}"`).toReversed();
  return `its tag ${resumeTag} says "${value}", expected ${others.toReversed().join(', ')} or ${last}`;
}

/** Returns Azure's status of the job. */
export function statusOf(job: RawJob): string {
  return textAt(job.properties, 'status') ?? 'Unknown';
}

/** The job as it was when it had this status. */
export function withStatus(job: RawJob, status: string): RawJob {
  return { ...job, properties: { ...job.properties, status } };
}

/** Whether a job with this status has ended. */
export function isFinished(status: string): boolean {
  return finished.has(status.toLowerCase());
}

/** Returns the job type: `Command`, `Pipeline`, …; empty if Azure does not say it. */
export function typeOf(job: RawJob): string {
  return textAt(job.properties, 'jobType') ?? 'Unknown';
}

/** Returns the job's tags that are text. */
export function tagsOf(job: RawJob): Record<string, string> {
  const tags = Object.entries(objectAt(job.properties, 'tags') ?? {});
  return Object.fromEntries(tags.flatMap(([key, value]) => (typeof value === 'string' ? [[key, value]] : [])));
}

/** Keys that name the parent of a job. They differ between versions of the service. */
const parentKeys = ['azureml.parentrunid', 'azureml.pipelinerunid', 'azureml.rootpipelinerunid', 'azureml.rootrunid'];

/** Returns the name of the pipeline or sweep that the job is part of. */
export function parentOf(job: RawJob): string | undefined {
  const parent = textAt(job.properties, 'parentJobName');
  if (parent) return parent;
  const bag = Object.entries(objectAt(job.properties, 'properties') ?? {});
  const found = bag.find(
    ([key, value]) => parentKeys.includes(key.toLowerCase()) && typeof value === 'string' && value !== job.name,
  );
  return found?.[1] as string | undefined;
}

/** Services in which a person works while the job runs. TensorBoard only displays. */
const interactive = new Set(['jupyterlab', 'jupyter', 'vscode', 'ssh', 'rstudio']);

/** Returns the interactive services that the job asked for: `JupyterLab`, `VSCode`, `SSH`. */
export function interactiveServices(job: RawJob): string[] {
  const services: Json[] = Object.values(objectAt(job.properties, 'services') ?? {});
  return services.flatMap((service) => {
    const type = isObject(service) ? textAt(service, 'jobServiceType') : undefined;
    return type !== undefined && interactive.has(type.toLowerCase().replaceAll('_', '')) ? [type] : [];
  });
}

/** When the job was submitted (ISO 8601). */
export function createdAt(job: RawJob): string | undefined {
  return isObject(job['systemData']) ? textAt(job['systemData'], 'createdAt') : undefined;
}

/** Who submitted the job. */
export function ownerOf(job: RawJob): string | undefined {
  return tagsOf(job)['owner'] ?? (isObject(job['systemData']) ? textAt(job['systemData'], 'createdBy') : undefined);
}

/** What identifies a job to people. */
export interface NamedJob {
  name: string;
  /** The name that its owner gave to the original job. Only for a successor. */
  submittedAs?: string | undefined;
  owner?: string | undefined;
}

/** Example: `job "train-17" of ana`. For a successor: `job "us-…" (submitted as "train-17") of ana`. */
export function showJob({ name, submittedAs, owner }: NamedJob): string {
  const first = submittedAs === undefined ? '' : ` (submitted as "${submittedAs}")`;
  return `job "${name}"${first}${owner === undefined ? '' : ` of ${owner}`}`;
}

/** Returns the job's own time limit (`limits.timeout`, ISO 8601) in seconds, if it has one. */
export function timeLimitSeconds(job: RawJob): number | undefined {
  const text = textAt(objectAt(job.properties, 'limits') ?? {}, 'timeout');
  const match = /^P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:([\d.]+)S)?)?$/.exec(text ?? '');
  if (!match) return undefined;
  const [days, hours, minutes, seconds] = match.slice(1).map((part) => Number(part ?? 0));
  return (((days ?? 0) * 24 + (hours ?? 0)) * 60 + (minutes ?? 0)) * 60 + (seconds ?? 0);
}
