/** Collects, while a workspace is listed, which blobs and which other assets the listed resources need. */
import type { Json, JsonObject } from '../azure/azure.ts';
import { sameName } from '../azure/ids.ts';
import { withoutFreeText } from '../azure/body/free-text.ts';
import { checkpointPlaces, wentOnFrom, type CheckpointPolicy } from '../workspace/jobs/checkpoint.ts';
import { objectAt } from '../azure/body/json.ts';
import { type RawJob } from '../workspace/jobs/job.ts';
import type { Topology } from '../topology/topology.ts';
import type { ResourceClass } from '../topology/words.ts';
import { assetKey, assetTypes } from '../workspace/asset-types.ts';
import type { LeftBehindList } from '../recovery-point/drafts.ts';
import { joinPath, type JobOutputs } from '../workspace/jobs/job-outputs.ts';
import type { AssetLine, Unit } from '../recovery-point/manifest.ts';
import { addDatastorePath, needsOf, type Needs, type SourceStores } from '../workspace/places.ts';
import { assetReferences, type AssetReference } from '../workspace/references.ts';
import { namedResources } from './named-resources.ts';
import type { NamedReference } from './name-missing.ts';
import { imageReason, type LostImages } from './own-registry.ts';
import { mergeUnits, type NeededRoot } from '../recovery-point/units.ts';

/** What the listed resources need. */
export interface Needed {
  asset(line: AssetLine): Promise<void>;
  job(job: RawJob): Promise<void>;
  /** Adds a schedule or a deployment. What it refers to and what it reads is carried. */
  other(json: JsonObject, name: string, of: ResourceClass): Promise<void>;
  paths(paths: Topology['artifacts']['paths']): void;
  /** Returns the references to asset versions found since the last call. */
  takeReferences(): OwnedReference[];
  /** Everything else in the workspace that is named, and by what. */
  named(): NamedReference[];
  units(): Unit[];
  /** What is needed, but is on storage that the standby reads in place. */
  sharedUnits(): Unit[];
}

/** A reference, and what refers by it: `jobs/train-1`. */
export type OwnedReference = AssetReference & { of: string };

/** Begins to collect what resources need. */
export function collectNeeded(
  stores: SourceStores,
  outputs: JobOutputs,
  policy: CheckpointPolicy,
  leftBehind: LeftBehindList,
  images: LostImages = () => [],
): Needed {
  const roots = collectRoots(stores, outputs, leftBehind);
  let references: OwnedReference[] = [];
  const named: NamedReference[] = [];
  const refer = (json: Json, of: string) => {
    for (const each of assetReferences(json, stores.workspace)) references.push({ ...each, of });
    for (const each of namedResources(json, stores.workspace)) named.push({ ...each, of });
    for (const image of images(json)) leftBehind.add('images', imageReason, `${of}: ${image}`);
  };
  return {
    async asset({ type, name, version, resource }) {
      if (version === undefined) return;
      const followed = withoutFreeText(resource.properties);
      const key = assetKey(type, name, version);
      refer(followed, key);
      await roots.addJson(followed, key, assetTypes[type].class);
    },
    async job(job) {
      const inputs = withoutOutputs(withoutFreeText(withoutResumption(job, policy)));
      refer(inputs, `jobs/${job.name}`);
      await roots.addJson(inputs, `jobs/${job.name}`, 'training');
      for (const place of checkpointPlaces(job, policy))
        roots.addPath(place, { asset: `jobs/${job.name}`, class: 'training', growing: true });
    },
    async other(json, name, of) {
      const inputs = withoutOutputs(withoutFreeText(json));
      refer(inputs, name);
      await roots.addJson(inputs, name, of);
    },
    paths(paths) {
      for (const each of paths) roots.addPath(each, { asset: `paths/${each.datastore}/${each.path}`, class: 'data' });
    },
    takeReferences() {
      const taken = references;
      references = [];
      return taken;
    },
    named: () => named,
    units: () => mergeUnits(roots.all),
    sharedUnits: () => mergeUnits(roots.shared),
  };
}

type Owner = Pick<NeededRoot, 'asset' | 'class' | 'growing'>;

function collectRoots(stores: SourceStores, outputs: JobOutputs, leftBehind: LeftBehindList) {
  const all: NeededRoot[] = [];
  const shared: NeededRoot[] = [];
  const add = (needs: Pick<Needs, 'roots' | 'shared' | 'unreachable'>, owner: Owner) => {
    for (const root of needs.roots) all.push({ ...root, account: spelling(root.account, stores), ...owner });
    for (const root of needs.shared) {
      const place = { ...root, account: spelling(root.account, stores), ...owner };
      // A successor continues from a copy, even if others read the folder: its original may still write there unseen.
      const toCopy = owner.growing && stores.accounts.some(({ name }) => sameName(name, root.account));
      (toCopy ? all : shared).push(place);
    }
    for (const { reason } of needs.unreachable) {
      leftBehind.add('references', `to blobs that are not copied: ${reason}`, owner.asset);
    }
  };
  return {
    all,
    shared,
    /** Adds everything that a resource's JSON refers to. */
    async addJson(json: Json, asset: string, of: ResourceClass): Promise<void> {
      const needs = needsOf(json, stores);
      for (const { job, output, path } of needs.jobOutputs) {
        const place = await outputs.find(job, output);
        const whole = joinPath(place.path, path);
        addDatastorePath(place.datastore, whole, `${job}/${output}`, stores, needs);
      }
      add(needs, { asset, class: of });
    },
    addPath({ datastore, path }: { datastore: string; path: string }, owner: Owner): void {
      const needs: Pick<Needs, 'roots' | 'shared' | 'unreachable'> = {
        roots: [],
        shared: [],
        unreachable: [],
      };
      addDatastorePath(datastore, path, path, stores, needs);
      add(needs, owner);
    },
  };
}

/** Account names are compared without regard to case. In a manifest each has one spelling. */
function spelling(account: string, { accounts }: SourceStores): string {
  return accounts.find(({ name }) => sameName(name, account))?.name ?? account;
}

/** Returns a successor without the folder it was given to resume from. Its own successor gets another one. */
function withoutResumption(job: RawJob, policy: CheckpointPolicy): JsonObject {
  if (!wentOnFrom(job, policy)) return job.properties;
  const { [policy.input]: _resumption, ...inputs } = objectAt(job.properties, 'inputs') ?? {};
  return { ...job.properties, inputs };
}

/** Returns a job without its outputs. Half-written outputs are not carried, except checkpoints. */
function withoutOutputs(value: JsonObject): JsonObject {
  // Below these keys, an input or a pipeline step may be called `outputs`.
  const hold = (key: string) => key === 'inputs' || key === 'jobs';
  const walk = (each: Json, under: string): Json => {
    if (Array.isArray(each)) return each.map((item) => walk(item, under));
    if (each === null || typeof each !== 'object') return each;
    const kept = Object.entries(each).filter(([key]) => hold(under) || (key !== 'outputs' && key !== 'services'));
    return Object.fromEntries(kept.map(([key, inner]) => [key, walk(inner, key)]));
  };
  return walk(value, '') as JsonObject;
}
