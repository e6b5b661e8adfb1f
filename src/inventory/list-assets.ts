/** Lists the versioned assets of a workspace, and the assets that they refer to. */
import { apiVersions, type Arm, type ArmResource } from '../azure/azure.ts';
import type { ControlStore } from '../control-store/store.ts';
import { assetKey, assetTypeNames, assetTypes, type AssetType } from '../workspace/asset-types.ts';
import { batches, mapBounded } from '../run/work/bounded.ts';
import type { LeftBehindList } from '../recovery-point/drafts.ts';
import type { Heartbeat } from '../run/work/heartbeat.ts';
import type { AssetLine, Part } from '../recovery-point/manifest.ts';
import { partWriter, type PartWriter } from '../recovery-point/parts.ts';
import type { OwnedReference } from './needed.ts';
import { isExcluded, selectsName, selectVersions, type Selection } from './select.ts';

/** ARM allows 25 reads a second for each principal. More concurrent reads would only queue. */
const readsSideBySide = 8;

/** What listing assets needs. */
export interface ListAssets {
  arm: Arm;
  workspace: string;
  store: ControlStore;
  folder: string;
  selection: Selection;
  heartbeat: Heartbeat;
  leftBehind: LeftBehindList;
  signal: AbortSignal;
  /** Called for each container and version that is carried. */
  onAsset(line: AssetLine): Promise<void>;
}

/** A listing in progress. */
export interface AssetListing {
  /** Carries assets that are referred to but were not selected, and what those refer to. */
  close(references: () => OwnedReference[]): Promise<void>;
  /** Writes the remaining lines. Returns the parts of all types. */
  end(): Promise<Part[]>;
  counts: Record<AssetType, number>;
}

/** Lists the selected assets. Call `close`, then `end`, on the result. */
export async function listAssets(request: ListAssets): Promise<AssetListing> {
  const carrier = createCarrier(request);
  for (const type of assetTypeNames) {
    const all = assetTypes[type].listViewType ? '?listViewType=All' : '';
    const containers = request.arm.list(`${request.workspace}/${type}${all}`, apiVersions.machineLearning, {
      signal: request.signal,
    });
    for await (const batch of batches(containers, readsSideBySide)) {
      const listed = await mapBounded(batch, readsSideBySide, (container) =>
        listVersions(request, type, container, all),
      );
      for (const [index, versions] of listed.entries()) {
        const container = batch[index];
        if (!container) continue;
        const { carried, excluded, beyond } = selectVersions(type, container.name, versions, request.selection);
        if (excluded > 0) request.leftBehind.addChosen(type, 'excluded by the topology', container.name, excluded);
        for (const version of beyond) carrier.beyond.push({ type, name: container.name, version: version.name });
        const isEmpty = versions.length === 0 && selectsName(type, container.name, request.selection);
        if (carried.length > 0 || isEmpty) await carrier.container(type, container);
        for (const version of carried) await carrier.version(type, container.name, version);
      }
      await request.heartbeat.beat();
    }
  }
  return carrier;
}

async function listVersions(
  { arm, workspace, signal }: ListAssets,
  type: AssetType,
  container: ArmResource,
  all: string,
): Promise<ArmResource[]> {
  const path = `${workspace}/${type}/${encodeURIComponent(container.name)}/versions${all}`;
  return Array.fromAsync(arm.list(path, apiVersions.machineLearning, { signal }));
}

function createCarrier(request: ListAssets) {
  const carried = new Set<string>();
  const writers = new Map<AssetType, PartWriter<AssetType>>();
  const counts = Object.fromEntries(assetTypeNames.map((type) => [type, 0])) as Record<AssetType, number>;
  const write = async (line: AssetLine) => {
    const writer = writers.get(line.type) ?? partWriter(request.store, request.folder, line.type);
    writers.set(line.type, writer);
    await writer.add(line);
    await request.onAsset(line);
  };
  const beyond: { type: AssetType; name: string; version: string }[] = [];
  const self = {
    counts,
    carried,
    /** Versions that are left behind unless something that is carried refers to them. */
    beyond,
    async container(type: AssetType, resource: ArmResource) {
      if (carried.has(assetKey(type, resource.name))) return;
      carried.add(assetKey(type, resource.name));
      await write({ type, name: resource.name, resource });
    },
    async version(type: AssetType, name: string, resource: ArmResource) {
      if (carried.has(assetKey(type, name, resource.name))) return;
      carried.add(assetKey(type, name, resource.name));
      counts[type] += 1;
      request.heartbeat.add(1, 0);
      await write({ type, name, version: resource.name, resource });
    },
    async close(references: () => OwnedReference[]) {
      for (let wanted = references(); wanted.length > 0; wanted = references()) {
        for (const reference of wanted) await carryReferred(request, self, reference);
      }
      for (const { type, name, version } of beyond) {
        if (!carried.has(assetKey(type, name, version)))
          request.leftBehind.addChosen(type, 'not among those the topology includes', name, 1);
      }
    },
    async end() {
      const parts: Part[] = [];
      for (const type of assetTypeNames) parts.push(...((await writers.get(type)?.end()) ?? []));
      return parts;
    },
  };
  return self;
}

/** `azureml:name:version` does not include the type. Types are tried in this order, the most common first. */
const typesToTry: AssetType[] = ['environments', 'components', 'data', 'models', 'codes'];

/** Anonymous assets of jobs are in no list, and old versions exceed the topology's number. Both are read by id. */
async function carryReferred(
  { arm, workspace, selection, leftBehind, signal, heartbeat }: ListAssets,
  carrier: ReturnType<typeof createCarrier>,
  { type, name, version, of }: OwnedReference,
): Promise<void> {
  const types = type === undefined ? typesToTry : [type];
  if (types.some((each) => carrier.carried.has(assetKey(each, name, version)))) return;
  await heartbeat.beat();
  for (const each of types) {
    const key = assetKey(each, name, version);
    const container = `${workspace}/${each}/${encodeURIComponent(name)}`;
    const found = await arm.find(`${container}/versions/${encodeURIComponent(version)}`, apiVersions.machineLearning, {
      signal,
    });
    if (!found) continue;
    if (isExcluded(key, selection)) {
      leftBehind.add('references', 'to assets that the topology excludes', `${of} → ${key}`);
      return;
    }
    const parent = await arm.find(container, apiVersions.machineLearning, { signal });
    if (parent) await carrier.container(each, parent);
    await carrier.version(each, name, found);
    return;
  }
  leftBehind.add(
    'references',
    'to versions of assets that do not exist',
    `${of} → ${type ?? 'asset'}/${name}/${version}`,
  );
}
