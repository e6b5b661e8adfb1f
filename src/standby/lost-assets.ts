/**
 * Resources that are incomplete because blobs of them are lost: assets, jobs, schedules and deployments that the blobs
 * belong to, and every asset that refers to one of these. None of them may be used as if it were complete.
 */
import type { Json } from '../azure/azure.ts';
import { withoutFreeText } from '../azure/body/free-text.ts';
import type { StepContext } from '../run/work/step-context.ts';
import type { WorkspaceRef } from '../topology/topology.ts';
import { assetKey, assetTypeNames } from '../workspace/asset-types.ts';
import { findingsBy } from '../run/work/findings.ts';
import { assetsAt, readAssetPlaces, type AssetPlaces } from '../recovery-point/asset-places.ts';
import type { SealedManifest } from '../recovery-point/manifest.ts';
import { readPart } from '../recovery-point/recovery-point.ts';
import { assetReferences, type AssetReference } from '../workspace/references.ts';

/** Why a resource is incomplete, by `models/fraud/4`, `jobs/train-17`, `schedules/nightly`, `deployments/blue`. */
export type LostAssets = ReadonlyMap<string, string>;

/**
 * Returns what the steps of this run have found so far.
 * Errors: ControlStoreError (evidence is altered or missing), RecoveryPointError.
 */
export async function lostAssets(context: StepContext, sealed: SealedManifest): Promise<LostAssets> {
  const found = new Map<string, string>();
  let places: AssetPlaces | undefined;
  const lost = new Map<string, { first: string; more: number }>();
  for (const action of ['restoreBlobs', 'reconcileBlobs'] as const) {
    for await (const { what, lost: blob } of findingsBy(context, action)) {
      if (!blob) continue;
      places ??= await readAssetPlaces(context.store, sealed);
      for (const asset of new Set(assetsAt(places, blob).map((each) => each.asset))) {
        const known = lost.get(asset);
        if (known) known.more += 1;
        else lost.set(asset, { first: what, more: 0 });
      }
    }
  }
  for (const [asset, { first, more }] of lost)
    found.set(asset, `blob ${first} is lost${more > 0 ? ` (and ${more} more)` : ''}`);
  if (found.size > 0) await addReferring(found, context, sealed);
  return found;
}

/**
 * Anything that refers to an incomplete resource is incomplete too: components contain code, and pipelines contain
 * components.
 */
async function addReferring(found: Map<string, string>, { store }: StepContext, sealed: SealedManifest): Promise<void> {
  let open: { key: string; references: AssetReference[] }[] = [];
  for (const type of assetTypeNames) {
    for await (const { name, version, resource } of readPart(store, sealed, type)) {
      const references = assetReferences(withoutFreeText(resource.properties), sealed.workspace);
      if (references.length > 0) open.push({ key: assetKey(type, name, version), references });
    }
  }
  for (let before = -1; before !== found.size;) {
    before = found.size;
    open = open.filter(({ key, references }) => {
      const cause = found.has(key) ? undefined : causeOf(references, found);
      if (cause !== undefined) found.set(key, cause);
      return cause === undefined && !found.has(key);
    });
  }
}

function causeOf(references: readonly AssetReference[], lost: LostAssets): string | undefined {
  for (const { type, name, version } of references) {
    for (const each of type === undefined ? assetTypeNames : [type]) {
      const key = assetKey(each, name, version);
      const why = lost.get(key);
      if (why !== undefined) return `it refers to ${key}, which is not whole: ${why}`;
    }
  }
  return undefined;
}

/**
 * Returns why the named resource, or something that it refers to, is incomplete. Undefined if it is complete. `name`:
 * `schedules/nightly`.
 */
export function whyLost(
  lost: LostAssets,
  { name, json, workspace }: { name: string; json: Json; workspace: WorkspaceRef },
): string | undefined {
  if (lost.size === 0) return undefined;
  const why = lost.get(name);
  return why ?? causeOf(assetReferences(json, workspace), lost);
}
