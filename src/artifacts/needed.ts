/** Collects, while a workspace is listed, which blobs and which other assets the listed things need. */
import type { Json, JsonObject } from '../azure/azure.ts';
import { sameName } from '../azure/ids.ts';
import { checkpointPlace } from '../jobs/checkpoint.ts';
import type { RawJob } from '../jobs/job.ts';
import type { Topology } from '../topology/topology.ts';
import type { ResourceClass } from '../topology/words.ts';
import { assetKey, assetTypes } from './asset-types.ts';
import type { LeftBehindList } from './drafts.ts';
import { joinPath, type JobOutputs } from './job-outputs.ts';
import type { AssetLine, Unit } from './manifest.ts';
import { addDatastorePath, needsOf, type Needs, type SourceStores } from './places.ts';
import { assetReferences, type AssetReference } from './references.ts';
import { mergeUnits, type NeededRoot } from './units.ts';

export interface Needed {
  asset(line: AssetLine): Promise<void>;
  job(job: RawJob): Promise<void>;
  /** Schedules, deployments: what they refer to is carried, and what they read. */
  other(json: JsonObject, name: string, of: ResourceClass): Promise<void>;
  paths(paths: Topology['artifacts']['paths']): void;
  /** References found since the last call. */
  takeReferences(): AssetReference[];
  units(): Unit[];
}

export function collectNeeded(
  stores: SourceStores,
  outputs: JobOutputs,
  policy: Topology['jobs']['checkpoint'],
  leftBehind: LeftBehindList,
): Needed {
  const roots: NeededRoot[] = [];
  let references: AssetReference[] = [];
  const add = (
    needs: Pick<Needs, 'roots' | 'unreachable'>,
    asset: string,
    of: ResourceClass,
    growing = false,
  ) => {
    for (const root of needs.roots) {
      roots.push({
        ...root,
        account: spelling(root.account, stores),
        asset,
        class: of,
        ...(growing ? { growing: true } : {}),
      });
    }
    for (const { reason } of needs.unreachable)
      leftBehind.add('references', `to blobs that are not copied: ${reason}`, asset);
  };
  const addNeeds = async (json: Json, asset: string, of: ResourceClass) => {
    const needs = needsOf(json, stores);
    for (const { job, output, path } of needs.jobOutputs) {
      const place = await outputs.find(job, output);
      addDatastorePath(place.datastore, joinPath(place.path, path), `${job}/${output}`, stores, needs);
    }
    add(needs, asset, of);
  };
  return {
    async asset({ type, name, version, resource }) {
      if (version === undefined) return;
      references.push(...assetReferences(resource.properties, stores.workspace));
      await addNeeds(resource.properties, assetKey(type, name, version), assetTypes[type].class);
    },
    async job(job) {
      const inputs = withoutOutputs(job.properties);
      references.push(...assetReferences(inputs, stores.workspace));
      await addNeeds(inputs, `jobs/${job.name}`, 'training');
      const checkpoint = checkpointPlace(job, policy);
      if (!checkpoint) return;
      const needs: Pick<Needs, 'roots' | 'unreachable'> = { roots: [], unreachable: [] };
      addDatastorePath(checkpoint.datastore, checkpoint.path, job.name, stores, needs);
      add(needs, `jobs/${job.name}`, 'training', true);
    },
    async other(json, name, of) {
      const inputs = withoutOutputs(json);
      references.push(...assetReferences(inputs, stores.workspace));
      await addNeeds(inputs, name, of);
    },
    paths(paths) {
      for (const { datastore, path } of paths) {
        const needs: Pick<Needs, 'roots' | 'unreachable'> = { roots: [], unreachable: [] };
        addDatastorePath(datastore, path, path, stores, needs);
        add(needs, `paths/${datastore}/${path}`, 'data');
      }
    },
    takeReferences() {
      const taken = references;
      references = [];
      return taken;
    },
    units: () => mergeUnits(roots),
  };
}

/** Names of accounts are compared without regard to case; in a manifest each has one spelling. */
function spelling(account: string, { accounts }: SourceStores): string {
  return accounts.find(({ name }) => sameName(name, account))?.name ?? account;
}

/** A job without what it writes: half-written outputs are not carried, but for its checkpoints. */
function withoutOutputs(value: JsonObject): JsonObject {
  const walk = (each: Json): Json => {
    if (Array.isArray(each)) return each.map(walk);
    if (each === null || typeof each !== 'object') return each;
    const entries = Object.entries(each).filter(([key]) => key !== 'outputs' && key !== 'services');
    return Object.fromEntries(entries.map(([key, inner]) => [key, walk(inner)]));
  };
  return walk(value) as JsonObject;
}
