/** Selects which asset versions are carried: by globs, and the newest few of each. Pure. */
import { posix } from 'node:path';
import type { ArmResource } from '../azure/azure.ts';
import type { Topology } from '../topology/topology.ts';
import { assetKey, type AssetType } from '../workspace/asset-types.ts';

/** The part of the topology that selects assets. */
export type Selection = Pick<Topology['artifacts'], 'include' | 'exclude' | 'versions'>;

/** Which versions are carried. */
export interface Selected {
  carried: ArmResource[];
  /** Carried only if something that is carried refers to them. */
  beyond: ArmResource[];
  excluded: number;
}

/** Selects the versions of one asset to carry. */
export function selectVersions(
  type: AssetType,
  name: string,
  versions: readonly ArmResource[],
  selection: Selection,
): Selected {
  const allowed = versions.filter((version) => !isExcluded(assetKey(type, name, version.name), selection));
  const included = allowed.filter((version) => matches(assetKey(type, name, version.name), selection.include));
  const carried = included.toSorted(newestFirst).slice(0, selection.versions);
  const beyond = allowed.filter((version) => !carried.includes(version));
  return { carried, beyond, excluded: versions.length - allowed.length };
}

/** Whether to carry an asset that has no version yet. Its description and tags are its owner's work. */
export function selectsName(type: AssetType, name: string, { include, exclude }: Selection): boolean {
  const key = assetKey(type, name);
  return matches(key, include) && !matches(key, exclude);
}

/** Whether a glob of the topology excludes the key, such as `models/fraud/4`. */
export function isExcluded(key: string, { exclude }: Pick<Selection, 'exclude'>): boolean {
  return matches(key, exclude);
}

function matches(key: string, globs: readonly string[]): boolean {
  return globs.some((glob) => glob === '**' || posix.matchesGlob(key, glob));
}

/** Orders two versions by creation time, then by number, newest first. */
export function newestFirst(a: ArmResource, b: ArmResource): number {
  const [first, second] = [createdAt(a), createdAt(b)];
  if (first !== second) return first < second ? 1 : -1;
  return b.name.localeCompare(a.name, 'en', { numeric: true });
}

function createdAt(resource: ArmResource): string {
  const data = resource['systemData'] as { createdAt?: string } | undefined;
  return data?.createdAt ?? '';
}
