import { mappedCompute, sameText, type WorkspaceMapping } from './mapping.ts';

/** How the segments of a path are encoded: `plain` in an ARM id, `percent` in a URL. */
export type Spelling = 'plain' | 'percent';

/** Decodes a segment. An invalid escape is kept as it is. */
export function readSegment(segment: string, spelling: Spelling): string {
  if (spelling === 'plain' || !segment.includes('%')) return segment;
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}

function writeSegment(name: string, spelling: Spelling): string {
  return spelling === 'plain' ? name : encodeURIComponent(name);
}

/** Index of the workspace's name, if a workspace path begins at `start`. Its short form has no `providers`. */
function workspaceIndex(segments: readonly string[], start: number): number | undefined {
  const is = (index: number, word: string): boolean => sameText(segments[index] ?? '', word);
  if (!is(start, 'subscriptions') || !is(start + 2, 'resourcegroups')) return undefined;
  if (is(start + 4, 'workspaces')) return start + 5;
  const long =
    is(start + 4, 'providers') && is(start + 5, 'microsoft.machinelearningservices') && is(start + 6, 'workspaces');
  return long ? start + 7 : undefined;
}

/**
 * Rewrites the workspace path that begins at segment `start` of `path`:
 * `subscriptions/{s}/resourceGroups/{rg}[/providers/Microsoft.MachineLearningServices]/workspaces/{ws}[/computes/{c}]…`.
 * Undefined if there is none, or if it is another workspace's. Key words keep the user's spelling.
 */
export function rewriteWorkspacePath(
  path: string,
  start: number,
  mapping: WorkspaceMapping,
  spelling: Spelling,
): string | undefined {
  const segments = path.split('/');
  const nameAt = workspaceIndex(segments, start);
  if (nameAt === undefined) return undefined;
  const { from, to } = mapping;
  const read = (index: number): string => readSegment(segments[index] ?? '', spelling);
  const isSource =
    sameText(read(start + 1), from.subscriptionId) &&
    sameText(read(start + 3), from.resourceGroup) &&
    sameText(read(nameAt), from.name);
  if (!isSource) return undefined;
  segments[start + 1] = writeSegment(to.subscriptionId, spelling);
  segments[start + 3] = writeSegment(to.resourceGroup, spelling);
  segments[nameAt] = writeSegment(to.name, spelling);
  if (sameText(segments[nameAt + 1] ?? '', 'computes')) {
    const compute = mappedCompute(read(nameAt + 2), mapping);
    if (compute !== undefined) segments[nameAt + 2] = writeSegment(compute, spelling);
  }
  return segments.join('/');
}

/** Rewrites an ARM id (`/subscriptions/…`) of the workspace, of a resource in it, or of a mapped resource. */
export function rewriteArmId(id: string, mapping: WorkspaceMapping, spelling: Spelling): string | undefined {
  if (!/^\/subscriptions\//i.test(id)) return undefined;
  const segments = id.split('/');
  for (const { from, to } of mapping.resources ?? []) {
    const prefix = from.replace(/\/+$/, '').split('/');
    const under = prefix.every((part, index) => sameText(part, readSegment(segments[index] ?? '', spelling)));
    if (under) return [to.replace(/\/+$/, ''), ...segments.slice(prefix.length)].join('/');
  }
  return rewriteWorkspacePath(id, 1, mapping, spelling);
}
