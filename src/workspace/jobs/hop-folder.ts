/**
 * Folders of a hop: where a successor writes what its origin, which may run on unseen, would otherwise write to the same place.
 * `out/` becomes `out/us-…-hop-2/`, whatever the hop before wrote to. Pure.
 */
import { originTags, tagsOf, type RawJob } from './job.ts';

export interface Hop {
  /** Of the job that writes there. */
  name: string;
  hop: number;
}

/** `uri` with the folder of the hop: at its end, or before the name of a file. */
export function folderOfHop(uri: string, of: Hop): string {
  const folder = segmentOf(of);
  if (uri.endsWith('/')) return `${uri}${folder}/`;
  // A file stays a file: the folder goes before its name.
  const last = uri.lastIndexOf('/');
  const isFile = /\.[A-Za-z0-9]+$/.test(uri.slice(last));
  return isFile ? `${uri.slice(0, last)}/${folder}/${uri.slice(last + 1)}` : `${uri}/${folder}`;
}

/** `uri` as the job's owner gave it: without the folder of the job's own hop. */
export function withoutHop(uri: string, job: RawJob): string {
  const hop = tagsOf(job)[originTags.hop];
  if (hop === undefined) return uri;
  const own = segmentOf({ name: job.name, hop: Number(hop) });
  return uri
    .split('/')
    .filter((segment) => segment !== own)
    .join('/');
}

/** Whether a folder is that of some successor's hop. */
export function isHopFolder(segment: string): boolean {
  return /^us-[a-z2-7]{24}-hop-\d+$/.test(segment);
}

function segmentOf({ name, hop }: Hop): string {
  return `${name}-hop-${hop}`;
}
