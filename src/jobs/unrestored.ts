/**
 * What this run knows to be wrong in the standby: assets that could not be registered as the recovery point has them,
 * datastores that are different there or accepted as lost, resources with lost blobs, and every asset that refers to
 * one of these. A job that reads any of them would run on the wrong data.
 */
import { parseAzureMlUri, rewriteReference, sameName, sameWorkspace, type ReferenceMapping } from '../azure/ids.ts';
import { textAt } from '../azure/body/json.ts';
import { withoutFreeText } from '../azure/body/free-text.ts';
import { notDoneBy } from '../run/work/findings.ts';
import type { AssetLine } from '../recovery-point/manifest.ts';
import { readPart } from '../recovery-point/recovery-point.ts';
import type { StepContext } from '../run/work/step-context.ts';
import { lostAssets } from '../standby/lost-assets.ts';
import type { Standby } from '../standby/standby.ts';
import { assetTypeNames } from '../workspace/asset-types.ts';
import type { RawJob } from '../workspace/jobs/job.ts';
import { computeKeys, datastoreKeys, type Unmapped } from './spec/rewrite-spec.ts';
import { stripRunBound } from './spec/run-bound.ts';
import { eachText } from '../azure/body/json-texts.ts';

/**
 * Maps `data/loans/3` or `datastore features`, in lower case, to its name as written, and what is wrong with it: `was
 * not restored: …`.
 */
export type Unrestored = ReadonlyMap<string, { what: string; wrong: string }>;

/**
 * Finds what was not restored. Reads the recovery point's assets only if something was not.
 * Errors: ControlStoreError (a step's evidence is missing or altered), RecoveryPointError.
 */
export async function findUnrestored(
  context: StepContext,
  { point: { sealed }, mapping, sourceDatastores }: Pick<Standby, 'point' | 'mapping' | 'sourceDatastores'>,
): Promise<Unrestored> {
  const found = new Map<string, { what: string; wrong: string }>();
  for (const action of ['configureDatastores', 'restoreAssets', 'reconcileAssets'] as const) {
    for (const { what, state, reason } of (await notDoneBy(context, action)).values()) {
      if (state === 'failed') found.set(what.toLowerCase(), { what, wrong: `was not restored: ${reason}` });
    }
  }
  // Includes jobs: what they read themselves, by path.
  for (const [what, why] of await lostAssets(context, sealed))
    if (!found.has(what.toLowerCase())) found.set(what.toLowerCase(), { what, wrong: `is not whole: ${why}` });
  for (const { kind, name, what } of context.plan.acceptedLosses ?? []) {
    const onIt = sourceDatastores.filter(({ properties }) => sameName(textAt(properties, 'accountName'), name));
    for (const each of kind === 'storage' ? onIt : [])
      found.set(`datastore ${each.name}`.toLowerCase(), {
        what: `datastore ${each.name}`,
        wrong: `is accepted as lost: ${what}`,
      });
  }
  if (found.size === 0) return found;
  let open: Referring[] = [];
  for (const type of assetTypeNames) {
    for await (const line of readPart(context.store, sealed, type)) {
      const referring = referringOf(line, mapping);
      if (referring && !found.has(referring.what.toLowerCase())) open.push(referring);
    }
  }
  // References are followed transitively: pipelines contain components, and those run in environments.
  for (let before = -1; before !== found.size;) {
    before = found.size;
    open = open.filter(({ what, names }) => {
      const cause = names.map((name) => lookUp(found, name)).find(Boolean);
      if (cause) found.set(what.toLowerCase(), { what, wrong: `refers to ${cause.what}, which ${cause.wrong}` });
      return !cause;
    });
  }
  return found;
}

/** Returns where a job refers to what was not restored. */
export function unrestoredIn(spec: RawJob, unrestored: Unrestored, mapping: ReferenceMapping): Unmapped[] {
  if (unrestored.size === 0) return [];
  const places: Unmapped[] = [];
  const itself = unrestored.get(`jobs/${spec.name}`.toLowerCase());
  if (itself) places.push({ place: 'properties.inputs', value: itself.what, reason: `what it reads ${itself.wrong}` });
  eachText(stripRunBound(spec).properties, (value, place, keys) => {
    // A text may name one thing twice: as a whole, and in its first word.
    const found = new Set(namesIn(value, keys, mapping).flatMap((name) => lookUp(unrestored, name) ?? []));
    for (const { what, wrong } of found)
      places.push({ place, value: what, reason: `${roleOf(keys)} ${what} ${wrong}` });
  });
  return places;
}

interface Referring {
  what: string;
  names: Name[];
}

function referringOf({ type, name, version, resource }: AssetLine, mapping: ReferenceMapping): Referring | undefined {
  if (version === undefined) return undefined;
  const names: Name[] = [];
  eachText(withoutFreeText(resource.properties), (value, _place, keys) => {
    names.push(...namesIn(value, keys, mapping));
  });
  return names.length === 0 ? undefined : { what: `${type}/${name}/${version}`, names };
}

/** A name in lower case: complete, or its beginning or end if a label or a short form leaves the rest open. */
type Name = { is: string } | { starts: string } | { ends: string } | { holds: string };

function lookUp(all: Unrestored, name: Name): { what: string; wrong: string } | undefined {
  if ('is' in name) return all.get(name.is);
  for (const [key, each] of all) {
    if (
      'starts' in name
        ? key.startsWith(name.starts)
        : 'ends' in name
          ? key.endsWith(name.ends)
          : key.includes(name.holds)
    )
      return each;
  }
  return undefined;
}

/** Returns what a text names in the workspace. A command line or a list may name several things. */
function namesIn(value: string, keys: readonly string[], mapping: ReferenceMapping): Name[] {
  const key = keys.at(-1) ?? '';
  if (datastoreKeys.has(key) && !value.includes('/'))
    return [{ is: `datastore ${value.replace(/^azureml:/i, '')}`.toLowerCase() }];
  if (computeKeys.has(key)) return [];
  const words = new Set([value, ...value.split(/[\s"'`,;=()<>|[\]{}]+/)]);
  return [...words].flatMap((word) => nameOf(word, mapping) ?? []);
}

/** Reads the name as the standby will: an output of an old job is where its copy is. */
function nameOf(word: string, mapping: ReferenceMapping): Name | undefined {
  // Do not check whether the standby has it: what it lacks could not be restored either.
  const moved = rewriteReference(word, { ...mapping, has: {} }).value;
  const id = /^(?:azureml:)?(\/subscriptions\/.*)$/i.exec(moved)?.[1];
  const uri = parseAzureMlUri(id === undefined ? moved : `azureml:/${id}`);
  if (!uri) return undefined;
  const { scope, target } = uri;
  if (scope.kind === 'registry') return undefined;
  if ('workspace' in scope && !sameWorkspace(scope.workspace, mapping.to)) return undefined;
  if (scope.kind === 'located' && !sameName(scope.guid, mapping.to.workspaceGuid)) return undefined;
  if (target.kind === 'datastore') return { is: `datastore ${target.datastore}`.toLowerCase() };
  if (target.kind !== 'asset') return undefined;
  const [type, name] = [target.type?.toLowerCase(), target.name.toLowerCase()];
  const version = target.version?.toLowerCase();
  // A label may mean the newest version, and that may be any version that is missing.
  if (type === undefined) return version === undefined ? { holds: `/${name}/` } : { ends: `/${name}/${version}` };
  return version === undefined ? { starts: `${type}/${name}/` } : { is: `${type}/${name}/${version}` };
}

/** What it is to the job, such as `its input`. */
function roleOf(keys: readonly string[]): string {
  const key = keys.at(-1) ?? '';
  if (keys.includes('inputs')) return 'its input';
  if (keys.includes('outputs')) return 'its output';
  const role = ['environment', 'component', 'code', 'deployment'].find((each) => key.toLowerCase().startsWith(each));
  return role !== undefined && !keys.includes('environmentVariables') ? `its ${role}` : 'what it names,';
}
