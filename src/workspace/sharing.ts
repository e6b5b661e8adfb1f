/**
 * What both workspaces of a topology use: one key vault, one registry, accounts attached to both as datastores. Found from the resources
 * themselves, while both regions answer, and sealed into the recovery point: a dark region cannot be asked. Pure.
 */
import { z } from 'zod';
import { sameName } from '../azure/ids.ts';
import { resourceClasses } from '../topology/words.ts';

const sharedKinds = ['storage', 'vault', 'registry', 'insights'] as const;
export type SharedKind = (typeof sharedKinds)[number];

export const SharedThing = z.strictObject({
  kind: z.enum(sharedKinds),
  /** ARM id; absent: the account that datastores name could not be found. */
  id: z.string().optional(),
  name: z.string(),
  /** What uses it, by region: `default storage`, `datastore lake`, `key vault`, … */
  uses: z.record(z.string(), z.array(z.string())),
  /** The classes that need it. */
  classes: z.array(z.enum(resourceClasses)),
  /** Azure's short region name; absent: it could not be read. */
  location: z.string().optional(),
  /** `Standard_RAGRS`, `Premium`. */
  sku: z.string().optional(),
  /** Of a geo-redundant account. */
  secondaryLocation: z.string().optional(),
  /** Regions that a registry is served from: its own, and those of its replicas. */
  servedFrom: z.array(z.string()).optional(),
  /** Address of a vault. */
  uri: z.string().optional(),
  /** Datastores of the standby on this account with which jobs read as the workspace, by their names. */
  identityBased: z.array(z.string()).optional(),
  /** Folders and files of the account that are needed, and not copied. */
  folders: z.int().optional(),
});
export type SharedThing = z.infer<typeof SharedThing>;

export const Sharing = z.strictObject({
  things: z.array(SharedThing),
  /** Datastores that are one and the same container under one name on both sides. */
  inBoth: z.array(z.string()),
  /** The standby's own storage account, and where it is. */
  standbyStorage: z.strictObject({ id: z.string(), location: z.string().optional() }).optional(),
});
export type Sharing = z.infer<typeof Sharing>;

/** A container of a storage account. */
export interface Container {
  account: string;
  container: string;
}

export function sameContainer(one: Container, other: Container): boolean {
  return sameName(one.account, other.account) && one.container === other.container;
}

/** Whether two addresses are one vault's. */
export function sameVault(one: string, other: string | undefined): boolean {
  const plain = (text: string) => text.toLowerCase().replace(/\/+$/, '');
  return other !== undefined && plain(one) === plain(other);
}

/** Whether what is in a thing is lost with a region: it is there, and nowhere else. Azure has a copy of each vault elsewhere. */
export function isOnlyIn(
  region: string,
  { kind, location, secondaryLocation, servedFrom }: SharedThing,
): boolean {
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

/** `storage account "lake"` */
export function nameOfThing({ kind, name }: Pick<SharedThing, 'kind' | 'name'>): string {
  return `${kindNames[kind]} "${name}"`;
}

/** One line for people: what it is, where, who uses it, and what that means. */
export function showThing(thing: SharedThing): string {
  const { location, sku, secondaryLocation, servedFrom, uses, folders } = thing;
  const where = [
    location === undefined ? 'where it is could not be read' : `in ${location}`,
    ...(sku === undefined ? [] : [sku]),
    ...(secondaryLocation === undefined ? [] : [`with a copy in ${secondaryLocation}`]),
    ...(servedFrom === undefined ? [] : [`served from ${servedFrom.join(', ')}`]),
  ];
  const users = Object.entries(uses).map(([region, all]) => `${region}: ${all.join(', ')}`);
  const notCopied =
    folders === undefined ? '' : `; ${folders} folders or files of it are needed, and not copied`;
  return `${nameOfThing(thing)} (${where.join(', ')}) is used by ${users.join('; ')}${notCopied}`;
}
