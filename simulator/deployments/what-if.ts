/**
 * What-if: the resources of a deployment and of those nested in it, compared with what its PUTs would leave of what
 * there is.
 */

import { textOf } from '../resource/fields.ts';
import {
  ArmError,
  type Cloud,
  type JsonObject,
  type Principal,
  type Resource,
  type Stored,
} from '../contract/index.ts';
import { type DeploymentInput, type DeploymentPlan, whatIf, type WhatIfChange } from '../template/index.ts';
import type { DeploymentParts } from './input.ts';
import { expand, type Expansion, type Previewed } from './nested.ts';
import { DEPLOYMENT } from '../resource/table.ts';
import { withoutReadOnly } from '../resource/read-only-fields.ts';

/**
 * A value may go from resource to resource, but a nested template that asks for the time has another one whenever it is
 * looked at.
 */
const MOST_ROUNDS = 5;

interface Draft {
  cloud: Cloud;
  /** Ids (lower case) of what a PUT as previewed would be refused for. */
  refused: ReadonlySet<string>;
}

/** The changes that a deployment would make. Throws ArmError InvalidTemplate for a nested template that is wrong. */
export async function predictChanges(
  cloud: Cloud,
  principal: Principal,
  parts: DeploymentParts,
  input: DeploymentInput,
  plan: DeploymentPlan,
  format: 'ResourceIdOnly' | 'FullResourcePayloads',
): Promise<WhatIfChange[]> {
  const own = cloud.as(principal);
  let found = await expand(own, parts, input, plan, () => true);
  let draft = await write(cloud, found.previewed);
  for (let round = 1; round < MOST_ROUNDS; round += 1) {
    const next = await expand(seenThrough(own, draft.cloud), parts, input, plan, () => true);
    if (isSame(found, next)) break;
    found = next;
    draft = await write(cloud, found.previewed);
  }
  // Two nested deployments may have the same resource: it is one change.
  const planned = new Map(found.previewed.map((one) => [one.resource.id.toLowerCase(), one]));
  const { refused } = draft;
  // What only writes into another resource, as access policies do, is told of that one.
  const gone = [...planned.keys()].filter((id) => !refused.has(id) && !draft.cloud.store.get(id));
  for (const id of gone) planned.delete(id);
  const current = currentResources(cloud, input, [...planned.keys()]);
  const known = new Set(current.map((resource) => textOf(resource.id).toLowerCase()));
  const reached = new Set(gone.map((id) => id.split('/').slice(0, -2).join('/')).filter((id) => !known.has(id)));
  const changes = whatIf({
    planned: [...planned.values()],
    current,
    touched: shownOf(cloud, reached),
    left: (id) => (refused.has(id.toLowerCase()) ? undefined : draft.cloud.showResource(id)),
    mode: input.mode,
    format,
    shown: (resource) => withoutReadOnly(resource as Resource),
  });
  return [...changes, ...found.unsupported];
}

/**
 * What `reference()` finds: of what is there already, what it would be by then. Of what is not, nobody knows what its
 * service will set.
 */
function seenThrough(own: Cloud, draft: Cloud): Cloud {
  const showResource = (id: string): Resource | undefined => {
    const now = own.showResource(id);
    return now && (draft.showResource(id) ?? now);
  };
  return Object.create(own, { showResource: { value: showResource } }) as Cloud;
}

function isSame(one: Expansion, other: Expansion): boolean {
  const bodies = ({ previewed }: Expansion): string => JSON.stringify(previewed.map(({ body }) => body));
  return bodies(one) === bodies(other);
}

/**
 * The cloud after the deployment's PUTs. One that is refused is tried again after the others, as long as any is taken.
 */
async function write(cloud: Cloud, previewed: readonly Previewed[]): Promise<Draft> {
  const draft = cloud.draft();
  let waiting = inOrder(previewed);
  for (;;) {
    const refused: Previewed[] = [];
    for (const one of waiting) if (!(await isTaken(draft, one))) refused.push(one);
    if (refused.length === 0 || refused.length === waiting.length)
      return { cloud: draft, refused: new Set(refused.map(({ resource }) => resource.id.toLowerCase())) };
    waiting = refused;
  }
}

async function isTaken(draft: Cloud, { resource, body }: Previewed): Promise<boolean> {
  try {
    await draft.createResource(resource.id, structuredClone(body), resource.apiVersion);
    return true;
  } catch (error) {
    if (!(error instanceof ArmError)) throw error;
    return false;
  }
}

/** Each after what it depends on, and after what it stands in. */
function inOrder(previewed: readonly Previewed[]): Previewed[] {
  const byId = Map.groupBy(previewed, ({ resource }) => resource.id.toLowerCase());
  const ids = [...byId.keys()];
  const ordered = new Set<Previewed>();
  const begun = new Set<string>();
  const visit = (id: string): void => {
    const here = byId.get(id);
    if (!here || begun.has(id)) return;
    begun.add(id);
    for (const { resource } of here) for (const before of resource.dependsOn) visit(before.toLowerCase());
    for (let end = id.lastIndexOf('/'); end > 0; end = id.lastIndexOf('/', end - 1)) visit(id.slice(0, end));
    for (const one of here) ordered.add(one);
  };
  ids.forEach(visit);
  return [...ordered];
}

/** What the scope holds now: the group's top-level resources, and whatever is planned anywhere. */
function currentResources(cloud: Cloud, { scope }: DeploymentInput, planned: string[]): JsonObject[] {
  const inGroup = scope.resourceGroup ? cloud.store.below(scope.resourceGroup.id) : [];
  const isTopLevel = ({ resource: { id, type } }: Stored): boolean =>
    type !== DEPLOYMENT && (id.match(/\//g)?.length ?? 0) === 8;
  const ids = new Set([...inGroup.filter(isTopLevel).map(({ resource }) => resource.id.toLowerCase()), ...planned]);
  return shownOf(cloud, ids);
}

function shownOf(cloud: Cloud, ids: ReadonlySet<string>): JsonObject[] {
  return [...ids].map((id) => cloud.showResource(id)).filter((resource) => resource !== undefined);
}
