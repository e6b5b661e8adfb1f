/**
 * Versioned assets, one shape for all kinds: a container (`models/{name}`) that knows its latest and next version, and
 * versions whose content never changes once registered.
 */

import {
  ArmError,
  type Call,
  type Cloud,
  type JsonObject,
  type Resource,
  type ResourceType,
  type Stored,
} from '../../contract/index.ts';
import { fillDefaults, OWN_API_VERSION, parentIdOf, sameContent, textOf, WORKSPACES } from '../bodies/fields.ts';
import { byField, byListView, byProperties, byTags, limited, ordered } from '../bodies/lists.ts';
import { startPendingUpload } from './pending-upload.ts';
import { requireName, userError } from '../bodies/refusals.ts';

/** What sets one kind of asset apart from another. */
export interface AssetTraits {
  /** The segment of the path: 'models'. */
  segment: string;
  /** In Azure's words: 'model', 'data'. */
  noun: string;
  /** The properties of a version that are its content. */
  content: readonly string[];
  /** Defaults of a version. */
  defaults: JsonObject;
  /** Whether containers and versions carry `properties.provisioningState`. */
  provisioningState: boolean;
  /** Feature sets and entities are made by long-running operations. */
  longRunning?: { put: number; delete: number };
  /** Writes what the service adds to the content of a version. */
  fill?(call: Call, next: Stored): void;
  /** The name of a version that means the latest. */
  latestAlias?: string;
  /** Refuses a version that cannot be. */
  check?(call: Call, next: Stored): void;
  /** Writes and refuses what the service does of a container. */
  fillContainer?(next: Stored): void;
  /** What the container that a first version implies is made with. */
  impliedContainer?(properties: JsonObject): JsonObject;
  /** Filters of the version list beyond the common ones. */
  filter?(call: Call, entries: Stored[]): Stored[];
  uploads?: boolean;
  /** Once a version is registered. */
  registered?: (call: Call, stored: Stored) => Promise<void>;
  /** Actions of a version, by name in lower case. */
  actions?: NonNullable<ResourceType['actions']>;
}

const NAME = /^[a-zA-Z0-9][\w.-]{0,254}$/;
const NAME_RULE = '1 to 255 letters, digits, dots, hyphens and underscores, the first a letter or a digit';

/** The two rows of a kind of asset. */
export function assetRows(traits: AssetTraits): ResourceType[] {
  return [containerRow(traits), versionRow(traits)];
}

function containerRow(traits: AssetTraits): ResourceType {
  const row: ResourceType = {
    type: `${WORKSPACES}/${traits.segment}`,
    verbs: ['get', 'put', 'delete', 'list'],
    region: 'parent',
    beforePut(call, next) {
      requireName(traits.noun, call.id.name, NAME, NAME_RULE);
      fillDefaults(next.resource.properties, {
        description: null,
        tags: {},
        properties: {},
        isArchived: false,
      });
      setProvisioned(traits, next);
      traits.fillContainer?.(next);
    },
    show: (cloud, stored) => showContainer(traits, cloud, stored),
    listsOnce: true,
    list: (call, entries) => limited(call, byTags(call, byListView(call, entries))),
  };
  return withLongRunning(traits, row);
}

function versionRow(traits: AssetTraits): ResourceType {
  const row: ResourceType = {
    type: versionType(traits),
    verbs: ['get', 'put', 'delete', 'list'],
    region: 'parent',
    impliesParent: true,
    beforePut: (call, next) => prepareVersion(traits, call, next),
    alias: (cloud, id) =>
      traits.latestAlias !== undefined && id.name === traits.latestAlias
        ? liveVersions(traits, cloud, parentIdOf(id)).at(-1)
        : undefined,
    listsOnce: true,
    list(call, entries) {
      const found = byProperties(call, byTags(call, byTags(call, byListView(call, entries)), '$tags'));
      const described = byField(call, byField(call, found, 'description', 'description'), 'stage', 'stage');
      const version = call.query.get('version');
      const named = version ? described.filter((entry) => entry.resource.name === version) : described;
      const newestFirst = ordered(call, traits.filter?.(call, named) ?? named);
      return call.query.get('latestVersionOnly')?.toLowerCase() === 'true' ? newestFirst.slice(0, 1) : newestFirst;
    },
  };
  if (traits.registered) row.afterPut = traits.registered;
  if (traits.actions) row.actions = traits.actions;
  if (traits.uploads) {
    row.actions = { startpendingupload: startPendingUpload };
    row.actionsWithoutResource = ['startpendingupload'];
  }
  return withLongRunning(traits, row);
}

function withLongRunning(traits: AssetTraits, row: ResourceType): ResourceType {
  return traits.longRunning ? { ...row, longRunning: traits.longRunning } : row;
}

function versionType(traits: AssetTraits): string {
  return `${WORKSPACES}/${traits.segment}/versions`;
}

async function prepareVersion(traits: AssetTraits, call: Call, next: Stored): Promise<void> {
  const { properties } = next.resource;
  requireName(`${traits.noun} version`, call.id.name, NAME, NAME_RULE);
  fillDefaults(properties, {
    description: null,
    tags: {},
    properties: {},
    isArchived: false,
    isAnonymous: false,
    ...traits.defaults,
  });
  setProvisioned(traits, next);
  traits.fill?.(call, next);
  if (call.existing) refuseOtherContent(traits, call, call.existing, next);
  else traits.check?.(call, next);
  const containerId = parentIdOf(call.id);
  if (call.cloud.store.get(containerId)) return;
  const implied = traits.impliedContainer?.(properties) ?? {};
  await call.cloud.createResource(containerId, { properties: implied }, OWN_API_VERSION);
}

/** A registered version is what it is: the same content again is a 200, other content is refused. */
function refuseOtherContent(traits: AssetTraits, call: Call, existing: Stored, next: Stored): void {
  const [name, version] = call.id.names.slice(-2);
  const changed = traits.content.filter(
    (field) => !sameContent(existing.resource.properties[field], next.resource.properties[field]),
  );
  if (changed.length === 0) return;
  // By this status azure-ai-ml knows to make the next version, where it was told none.
  if (traits.segment === 'environments')
    throw new ArmError(
      409,
      'UserError',
      `Environment ${name} with version ${version} is already registered and cannot be changed.`,
      changed[0] === undefined ? {} : { target: changed[0] },
    );
  throw userError(
    `A ${traits.noun} version with this name and version already exists. If you are trying to create a new ${traits.noun} version, ` +
      `use a different name or version. If you are trying to update an existing ${traits.noun} version, the existing asset's ` +
      `${changed.join(', ')} cannot be changed. Only tags, description, and isArchived can be updated.`,
    changed[0],
  );
}

function setProvisioned(traits: AssetTraits, next: Stored): void {
  if (traits.provisioningState && !traits.longRunning) next.resource.properties.provisioningState = 'Succeeded';
}

function liveVersions(traits: AssetTraits, cloud: Cloud, containerId: string): Stored[] {
  const versions = cloud.store.children(containerId, versionType(traits));
  return versions.filter((entry) => entry.resource.properties.isArchived !== true);
}

/** The latest version is the one made last, whatever it is called; the next one counts on from the highest number. */
function showContainer(traits: AssetTraits, cloud: Cloud, stored: Stored): Resource {
  const versions = cloud.store.children(stored.resource.id, versionType(traits));
  const highest = versions.reduce(
    (most, { resource }) => (/^\d+$/.test(resource.name) ? Math.max(most, Number(resource.name)) : most),
    0,
  );
  const latestVersion = textOf(liveVersions(traits, cloud, stored.resource.id).at(-1)?.resource.name) ?? null;
  return {
    ...stored.resource,
    properties: { ...stored.resource.properties, latestVersion, nextVersion: String(highest + 1) },
  };
}
