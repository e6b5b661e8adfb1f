/** Finds references to things that the workspace does not have. The standby will not have them either. */
import { apiVersions, type Arm } from '../azure/azure.ts';
import { mapBounded } from '../run/work/bounded.ts';
import type { LeftBehindList } from '../recovery-point/drafts.ts';
import { assetTypeNames } from '../workspace/asset-types.ts';
import type { NamedResource } from './named-resources.ts';

/** A name, and what refers to it: `jobs/train-1`. */
export type NamedReference = NamedResource & { of: string };

interface NameMissing {
  arm: Arm;
  /** ARM id of the workspace. */
  workspace: string;
  leftBehind: LeftBehindList;
  references: readonly NamedReference[];
  /** Names of what the workspace has. */
  has: { computes: readonly string[]; datastores: readonly string[]; endpoints: readonly string[] };
  signal: AbortSignal;
}

const readsSideBySide = 8;

/**
 * Looks up each thing once, however many resources refer to it.
 * Errors: AzureUnavailable, AzureError.
 */
export async function nameMissing(request: NameMissing): Promise<void> {
  const { references, leftBehind, has } = request;
  const names = (list: readonly string[]) => new Set(list.map((name) => name.toLowerCase()));
  const known = {
    compute: names(has.computes),
    datastore: names(has.datastores),
    endpoint: names(has.endpoints),
  };
  const byThing = Map.groupBy(references, keyOf);
  await mapBounded(byThing.values(), readsSideBySide, async (same) => {
    const [first] = same;
    if (!first) return;
    const { kind, name } = first;
    const isThere =
      kind === 'compute' || kind === 'datastore' || kind === 'endpoint'
        ? known[kind].has(name.toLowerCase())
        : await isFound(request, first);
    if (isThere) return;
    for (const of of new Set(same.map((each) => each.of)))
      leftBehind.add('references', `to ${kind}s that do not exist`, `${of} → ${show(first)}`);
  });
}

function keyOf(each: NamedReference): string {
  const { kind, name } = each;
  const more = each.kind === 'asset' ? `/${each.type ?? ''}/${each.label ?? ''}` : '';
  return `${kind}/${name}${more}`.toLowerCase();
}

async function isFound({ arm, workspace, signal }: NameMissing, named: NamedReference): Promise<boolean> {
  for (const type of typesOf(named)) {
    const path = `${workspace}/${type}/${encodeURIComponent(named.name)}`;
    if (await arm.find(path, apiVersions.machineLearning, { signal })) return true;
  }
  return false;
}

/** `azureml:name@latest` does not include the type, so any type matches. */
function typesOf(named: NamedReference): readonly string[] {
  if (named.kind === 'job') return ['jobs'];
  if (named.kind === 'batch endpoint') return ['batchEndpoints'];
  return named.kind === 'asset' && named.type !== undefined ? [named.type] : assetTypeNames;
}

function show(named: NamedReference): string {
  if (named.kind !== 'asset') return `${named.kind} ${named.name}`;
  return `${named.type ?? 'asset'}/${named.name}${named.label === undefined ? '' : `@${named.label}`}`;
}
