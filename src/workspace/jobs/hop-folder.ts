/**
 * Folders of a hop: a successor writes there, because its original may still be running unseen and write to the same
 * path. `out/` becomes `out/us-…-hop-2/`, whatever the hop before wrote to. Pure.
 */
import { originTags, tagsOf, type RawJob } from './job.ts';

/** One hop of a lineage. */
export interface Hop {
  /** Name of the job that writes there. */
  name: string;
  hop: number;
}

/** Adds the hop's folder to `uri`: at its end, or before a file name. */
export function folderOfHop(uri: string, of: Hop): string {
  const folder = segmentOf(of);
  if (uri.endsWith('/')) return `${uri}${folder}/`;
  // A file remains a file: the folder goes before its name.
  const last = uri.lastIndexOf('/');
  const isFile = /\.[A-Za-z0-9]+$/.test(uri.slice(last));
  return isFile ? `${uri.slice(0, last)}/${folder}/${uri.slice(last + 1)}` : `${uri}/${folder}`;
}

/** Returns `uri` as the job's owner gave it, without the folder of the job's own hop. */
export function withoutHop(uri: string, job: RawJob): string {
  const hop = tagsOf(job)[originTags.hop];
  if (hop === undefined) return uri;
  const own = segmentOf({ name: job.name, hop: Number(hop) });
  return uri
    .split('/')
    .filter((segment) => segment !== own)
    .join('/');
}

/** Whether a folder belongs to any successor's hop. */
export function isHopFolder(segment: string): boolean {
  return /^us-[a-z2-7]{24}-hop-\d+$/.test(segment);
}

function segmentOf({ name, hop }: Hop): string {
  return `${name}-hop-${hop}`;
}
