/**
 * What is not whole because blobs of it are lost: assets, jobs, schedules and deployments that the blobs belong to, and every asset that
 * refers to one of these. Nothing of it may pass for what it was.
 */
import type { Json } from '../azure/azure.ts';
import { withoutProse } from '../azure/body/free-text.ts';
import type { StepContext } from '../run/work/step-context.ts';
import type { WorkspaceRef } from '../topology/topology.ts';
import { assetKey, assetTypeNames } from '../workspace/asset-types.ts';
import { notDoneBy, type Finding, type LostBlob } from '../run/work/findings.ts';
import { covers, type SealedManifest, type Unit } from '../recovery-point/manifest.ts';
import { readPart } from '../recovery-point/recovery-point.ts';
import { assetReferences, type AssetReference } from '../workspace/references.ts';

/** By `models/fraud/4`, `jobs/train-17`, `schedules/nightly`, `deployments/blue`: why it is not whole. */
export type LostAssets = ReadonlyMap<string, string>;

/** As far as the steps of this run know by now. Errors: ControlStoreError (evidence is altered or missing), RecoveryPointError. */
export async function lostAssets(context: StepContext, sealed: SealedManifest): Promise<LostAssets> {
  const blobs = [
    ...(await notDoneBy(context, 'restoreBlobs')).values(),
    ...(await notDoneBy(context, 'reconcileBlobs')).values(),
  ].flatMap(({ what, lost, reason }) => (lost ? [{ ...lost, what, reason }] : []));
  const found = new Map<string, string>();
  if (blobs.length === 0) return found;
  for await (const unit of readPart(context.store, sealed, 'units')) addLost(found, unit, blobs);
  await addReferring(found, context, sealed);
  return found;
}

function addLost(
  found: Map<string, string>,
  unit: Unit,
  blobs: readonly (LostBlob & Pick<Finding, 'what' | 'reason'>)[],
): void {
  const inUnit = blobs.filter(
    ({ account, container, path }) =>
      account === unit.account && container === unit.container && covers(unit.path, path),
  );
  if (inUnit.length === 0) return;
  for (const { asset, path, growing } of unit.places) {
    // A job's checkpoint is brought, and compared, when the job is resubmitted.
    if (growing) continue;
    const [first, ...others] = inUnit.filter((blob) => covers(path, blob.path));
    if (!first || found.has(asset)) continue;
    const more = others.length > 0 ? ` (and ${others.length} more)` : '';
    found.set(asset, `blob ${first.what} is lost${more}`);
  }
}

/** What refers to what is not whole is not whole either: components are made of code, and pipelines of components. */
async function addReferring(
  found: Map<string, string>,
  { store }: StepContext,
  sealed: SealedManifest,
): Promise<void> {
  let open: { key: string; references: AssetReference[] }[] = [];
  for (const type of assetTypeNames) {
    for await (const { name, version, resource } of readPart(store, sealed, type)) {
      const references = assetReferences(withoutProse(resource.properties), sealed.workspace);
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

/** Why what has this name, or refers to what it does, is not whole; undefined: it is. `name`: `schedules/nightly`. */
export function whyLost(
  lost: LostAssets,
  { name, json, workspace }: { name: string; json: Json; workspace: WorkspaceRef },
): string | undefined {
  if (lost.size === 0) return undefined;
  const why = lost.get(name);
  return why ?? causeOf(assetReferences(json, workspace), lost);
}
