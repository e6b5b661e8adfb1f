/** Finds what two workspaces share, by ARM ids and by account names, which are unique in all of Azure. */
import { isBuiltIn, placeOfDatastore } from './datastores.ts';
import { findAccount } from './find-account.ts';
import { nameOfId, regionName } from './workspace.ts';
import { apiVersions, type Arm, type ArmResource, type CallOptions } from '../azure/azure.ts';
import { parseArmId, sameName } from '../azure/ids.ts';
import { textAt } from '../azure/body/json.ts';
import { UnderstudyError } from '../errors/error.ts';
import { workspaceId, type Side } from '../topology/sides.ts';
import type { ResourceClass } from '../topology/words.ts';
import { sameContainer, type Container, type SharedThing, type Sharing } from './sharing.ts';

/** What a workspace uses. */
export interface Used {
  region: string;
  workspace: ArmResource;
  datastores: ArmResource[];
}

/**
 * Undefined if the workspace does not exist (yet).
 * Errors: those of Azure.
 */
export async function readUsed(arm: Arm, side: Side, options: CallOptions = {}): Promise<Used | undefined> {
  const id = workspaceId(side.workspace);
  const workspace = await arm.find(id, apiVersions.machineLearning, options);
  if (!workspace) return undefined;
  const datastores = await Array.fromAsync(arm.list(`${id}/datastores`, apiVersions.machineLearning, options));
  return { region: side.region, workspace, datastores };
}

/** The storage accounts that a workspace uses, by name in lower case, and what it uses each for. */
export function accountsOf({ workspace, datastores }: Used): Map<string, string[]> {
  const found = new Map<string, string[]>();
  const add = (account: string | undefined, as: string) => {
    if (account === undefined) return;
    const key = account.toLowerCase();
    found.set(key, [...(found.get(key) ?? []), as]);
  };
  const own = textAt(workspace.properties, 'storageAccount');
  add(own && nameOfId(own), 'default storage');
  for (const { name, properties } of datastores)
    if (!isBuiltIn(name)) add(textAt(properties, 'accountName'), `datastore ${name}`);
  return found;
}

/**
 * Containers that both sides have as a datastore: the standby reads them in place. Excludes those that Azure makes with
 * the active workspace: a standby that attaches one of these reads it for another purpose.
 */
export function sharedContainers(active: Used, standby: Used | undefined): Container[] {
  const places = (used: Used | undefined, wanted: (name: string) => boolean) =>
    (used?.datastores ?? []).flatMap((each) => (wanted(each.name) ? (placeOfDatastore(each).blob ?? []) : []));
  const made = places(active, isBuiltIn);
  const theirs = places(standby, () => true);
  return places(active, (name) => !isBuiltIn(name)).filter(
    (place) => theirs.some((each) => sameContainer(each, place)) && !made.some((each) => sameContainer(each, place)),
  );
}

/**
 * Both workspaces must have a default storage account of their own: otherwise whatever is done to one is done to the
 * other.
 * Errors: PreconditionError.
 */
export function refuseOneDefault(active: Used, standby: Used | undefined): void {
  const problem = oneDefault(active, standby);
  if (problem !== undefined) throw new UnderstudyError('PreconditionError', problem, { next: mendOneDefault });
}

/** What to do if both workspaces have the same default storage account. */
export const mendOneDefault =
  'Recreate the standby workspace with a storage account of its own: the account of a workspace cannot be changed.';

/** Why these two workspaces cannot replace each other. Undefined if they can. */
export function oneDefault(active: Used, standby: Used | undefined): string | undefined {
  const [one, other] = [active, standby].map((each) => each && textAt(each.workspace.properties, 'storageAccount'));
  if (one === undefined || !sameName(one, other)) return undefined;
  return oneDefaultReason(active.region, standby?.region ?? '', one);
}

/** Returns why one default storage account for both regions is refused. */
export function oneDefaultReason(one: string, other: string, accountId: string): string {
  return (
    `the workspaces of ${one} and ${other} have one default storage account, "${nameOfId(accountId)}": ` +
    'Azure supports no failover of it, it is lost with its region, and its keys and roles cannot be taken from one workspace alone'
  );
}

const associatedKinds = {
  keyVault: { kind: 'vault', as: 'key vault', classes: ['platform'] },
  containerRegistry: { kind: 'registry', as: 'container registry', classes: ['training', 'inference'] },
  applicationInsights: { kind: 'insights', as: 'Application Insights', classes: ['platform'] },
} as const;

/**
 * Finds what both sides share. Where Azure refuses the details, only the fact of sharing is known.
 * Errors: AzureUnavailable.
 */
export async function findSharing(
  arm: Arm,
  active: Used,
  standby: Used | undefined,
  options: CallOptions = {},
): Promise<Sharing> {
  if (!standby) return { things: [], inBoth: [] };
  const facts = new Facts(arm, options);
  const things: SharedThing[] = [];
  for (const [field, { kind, as, classes }] of Object.entries(associatedKinds)) {
    const [one, other] = [active, standby].map((each) => textAt(each.workspace.properties, field));
    if (one === undefined || !sameName(one, other)) continue;
    const uses = { [active.region]: [as], [standby.region]: [as] };
    things.push({
      kind,
      id: one,
      name: nameOfId(one),
      uses,
      classes: [...classes],
      ...(await facts.of(kind, one)),
    });
  }
  const theirs = accountsOf(standby);
  const ours = [...accountsOf(active)].toSorted(([one], [other]) => (one < other ? -1 : 1));
  for (const [name, uses] of ours) {
    const others = theirs.get(name);
    if (others) things.push(await sharedAccount(facts, name, active, standby, { uses, others }));
  }
  const inBoth = namesInBoth(active, standby);
  const own = textAt(standby.workspace.properties, 'storageAccount');
  if (own === undefined) return { things, inBoth };
  const { location } = await facts.of('storage', own);
  return { things, inBoth, standbyStorage: { id: own, ...(location === undefined ? {} : { location }) } };
}

function namesInBoth(active: Used, standby: Used): string[] {
  const theirs = standby.datastores.map(placeOfDatastore);
  return active.datastores
    .map(placeOfDatastore)
    .filter(({ name, blob }) =>
      theirs.some((each) => sameName(each.name, name) && each.blob && blob && sameContainer(each.blob, blob)),
    )
    .map(({ name }) => name);
}

async function sharedAccount(
  facts: Facts,
  name: string,
  active: Used,
  standby: Used,
  { uses, others }: { uses: string[]; others: string[] },
): Promise<SharedThing> {
  const account = await facts.account(name, active, standby);
  const identityBased = standby.datastores
    .filter((each) => sameName(textAt(each.properties, 'accountName'), name) && !isBuiltIn(each.name))
    .filter((each) => placeOfDatastore(each).credentials === 'None')
    .map((each) => each.name);
  return {
    kind: 'storage',
    ...(account === undefined ? {} : { id: account.id }),
    name: account?.name ?? name,
    uses: { [active.region]: uses, [standby.region]: others },
    classes: ['data'] satisfies ResourceClass[],
    ...(account ? factsOfAccount(account) : {}),
    ...(identityBased.length > 0 ? { identityBased } : {}),
  };
}

type FactsOfThing = Pick<SharedThing, 'location' | 'sku' | 'secondaryLocation' | 'servedFrom' | 'uri'>;

function factsOfAccount({ location, sku, properties }: ArmResource): FactsOfThing {
  const name = textAt((sku ?? {}) as { name: string }, 'name');
  const secondary = textAt(properties, 'secondaryLocation');
  return {
    ...locationOf(location),
    ...(name === undefined ? {} : { sku: name }),
    ...(secondary === undefined ? {} : { secondaryLocation: regionName(secondary) }),
  };
}

function locationOf(location: string | undefined): Pick<SharedThing, 'location'> {
  return location === undefined ? {} : { location: regionName(location) };
}

/** What Azure returns about shared resources. */
class Facts {
  readonly #arm: Arm;
  readonly #options: CallOptions;

  constructor(arm: Arm, options: CallOptions) {
    this.#arm = arm;
    this.#options = options;
  }

  async of(kind: SharedThing['kind'], id: string): Promise<FactsOfThing> {
    const found = await unlessRefused(() => this.#arm.find(id, versions[kind], this.#options));
    if (!found) return {};
    if (kind === 'storage') return factsOfAccount(found);
    const uri = textAt(found.properties, 'vaultUri');
    return {
      ...locationOf(found.location),
      ...(kind === 'registry' ? await this.#served(found) : {}),
      ...(uri === undefined ? {} : { uri }),
    };
  }

  /** Finds the account by a datastore that names it, or by the workspace whose own it is. */
  async account(name: string, ...users: Used[]): Promise<ArmResource | undefined> {
    for (const { workspace, datastores } of users) {
      const own = textAt(workspace.properties, 'storageAccount');
      const datastore = datastores.find((each) => sameName(textAt(each.properties, 'accountName'), name));
      const found = await unlessRefused(() =>
        own !== undefined && sameName(nameOfId(own), name)
          ? this.#arm.find(own, apiVersions.storage, this.#options)
          : findAccount(
              {
                azure: { arm: this.#arm },
                workspace: { subscriptionId: '', resourceGroup: '', ...parseArmId(workspace.id) },
                signal: this.#options.signal,
              },
              name,
              datastore,
            ),
      );
      if (found) return found;
    }
    return undefined;
  }

  async #served({ id, location, sku }: ArmResource): Promise<FactsOfThing> {
    const tier = textAt((sku ?? {}) as { name: string }, 'name');
    const list = this.#arm.list(`${id}/replications`, versions.registry, this.#options);
    const replicas = (await unlessRefused(() => Array.fromAsync(list))) ?? [];
    const serving = replicas.filter(
      ({ properties }) => properties.regionEndpointEnabled !== false && properties.provisioningState === 'Succeeded',
    );
    const regions = [location, ...serving.map((each) => each.location)].flatMap((each) =>
      each === undefined ? [] : [regionName(each)],
    );
    return { servedFrom: [...new Set(regions)], ...(tier === undefined ? {} : { sku: tier }) };
  }
}

const versions: Record<SharedThing['kind'], string> = {
  storage: apiVersions.storage,
  vault: apiVersions.keyVault,
  registry: apiVersions.containerRegistry,
  insights: apiVersions.applicationInsights,
};

async function unlessRefused<T>(work: () => Promise<T>): Promise<T | undefined> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof UnderstudyError && error.code === 'AzureError') return undefined;
    throw error;
  }
}
