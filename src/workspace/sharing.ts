/**
 * What both workspaces of a topology share: for example one key vault, one registry, or accounts attached to both as
 * datastores. Found from the resources themselves while both regions answer, and sealed into the recovery point, since
 * a lost region cannot be asked. Pure.
 */
import { z } from 'zod';
import { sameName } from '../azure/ids.ts';
import { resourceClasses } from '../topology/words.ts';

const sharedKinds = ['storage', 'vault', 'registry', 'insights'] as const;
export type SharedKind = (typeof sharedKinds)[number];

/** A resource that both sides use. */
export const SharedThing = z.strictObject({
  kind: z.enum(sharedKinds),
  /** ARM id. Absent if the account that datastores name could not be found. */
  id: z.string().optional(),
  name: z.string(),
  /** What uses it, by region: `default storage`, `datastore lake`, `key vault`, … */
  uses: z.record(z.string(), z.array(z.string())),
  /** The classes that need it. */
  classes: z.array(z.enum(resourceClasses)),
  /** Azure's short region name. Absent if it could not be read. */
  location: z.string().optional(),
  /** Example: `Standard_RAGRS`, `Premium`. */
  sku: z.string().optional(),
  /** Only for a geo-redundant account. */
  secondaryLocation: z.string().optional(),
  /** Regions that a registry is served from: its own, and those of its replicas. */
  servedFrom: z.array(z.string()).optional(),
  /** Address of a vault. */
  uri: z.string().optional(),
  /** Names of the standby's datastores on this account that jobs use with the workspace's identity. */
  identityBased: z.array(z.string()).optional(),
  /** How many folders and files of the account are needed but not copied. */
  folders: z.int().optional(),
});
export type SharedThing = z.infer<typeof SharedThing>;

/** Everything that both sides share. */
export const Sharing = z.strictObject({
  things: z.array(SharedThing),
  /** Datastores that are the same container under the same name on both sides. */
  inBoth: z.array(z.string()),
  /** The standby's own storage account and its region. */
  standbyStorage: z.strictObject({ id: z.string(), location: z.string().optional() }).optional(),
});
export type Sharing = z.infer<typeof Sharing>;

/** A container of a storage account. */
export interface Container {
  account: string;
  container: string;
}

/** Whether both are the same container of the same account. */
export function sameContainer(one: Container, other: Container): boolean {
  return sameName(one.account, other.account) && one.container === other.container;
}

/** Whether two addresses belong to the same vault. */
export function sameVault(one: string, other: string | undefined): boolean {
  const plain = (text: string) => text.toLowerCase().replace(/\/+$/, '');
  return other !== undefined && plain(one) === plain(other);
}

/**
 * Whether a resource's content is lost with a region because it is only there. Azure keeps a copy of each vault
 * elsewhere.
 */
export function isOnlyIn(region: string, { kind, location, secondaryLocation, servedFrom }: SharedThing): boolean {
  if (kind === 'vault') return false;
  if (servedFrom !== undefined) return servedFrom.every((each) => each === region);
  return location === region && secondaryLocation === undefined;
}

const kindNames: Record<SharedKind, string> = {
  storage: 'storage account',
  vault: 'key vault',
  registry: 'container registry',
  insights: 'Application Insights',
};

/** Example: `storage account "lake"`. */
export function nameOfThing({ kind, name }: Pick<SharedThing, 'kind' | 'name'>): string {
  return `${kindNames[kind]} "${name}"`;
}

/** Describes a shared resource in one line: what it is, where, and who uses it. */
export function showThing(thing: SharedThing): string {
  const { location, sku, secondaryLocation, servedFrom, uses, folders } = thing;
  const where = [
    location === undefined ? 'where it is could not be read' : `in ${location}`,
    ...(sku === undefined ? [] : [sku]),
    ...(secondaryLocation === undefined ? [] : [`with a copy in ${secondaryLocation}`]),
    ...(servedFrom === undefined ? [] : [`served from ${servedFrom.join(', ')}`]),
  ];
  const users = Object.entries(uses).map(([region, all]) => `${region}: ${all.join(', ')}`);
  const notCopied = folders === undefined ? '' : `; ${folders} folders or files of it are needed, and not copied`;
  return `${nameOfThing(thing)} (${where.join(', ')}) is used by ${users.join('; ')}${notCopied}`;
}
