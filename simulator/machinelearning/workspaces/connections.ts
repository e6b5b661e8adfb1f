/** Connections: what a workspace knows of other services, with secrets that only `listsecrets` shows. */

import type { ActionResult, Call, Json, JsonObject, ResourceType, Stored } from '../../contract/index.ts';
import { CONNECTION_CATEGORIES, knowsCategories } from './connection-categories.ts';
import { fillDefaults, isObject, objectOf, textOf, WORKSPACES } from '../bodies/fields.ts';
import { requireName, validationError } from '../bodies/refusals.ts';

const CREDENTIALS = 'properties.credentials';
const VALUE = 'properties.value';

const AUTH_TYPES = [
  'PAT',
  'ManagedIdentity',
  'UsernamePassword',
  'None',
  'SAS',
  'AccountKey',
  'ServicePrincipal',
  'AccessKey',
  'ApiKey',
  'CustomKeys',
  'OAuth2',
  'AAD',
];

/**
 * As published; and, longer than that, the names that azure-ai-ml gives to the connections of the feature stores it
 * makes.
 */
const NAME = /^[a-zA-Z0-9][\w-]{2,32}$|^(Offline|Online)StoreConnectionName-[0-9a-f]{8}$/;

export const connections: ResourceType = {
  type: `${WORKSPACES}/connections`,
  verbs: ['get', 'put', 'patch', 'delete', 'list'],
  region: 'parent',
  createdStatus: 200,
  secrets: [CREDENTIALS, VALUE],
  beforePut(call, next) {
    requireName(
      'connection',
      call.id.name,
      NAME,
      '3 to 33 letters, digits, hyphens and underscores, the first a letter or a digit',
    );
    const { properties } = next.resource;
    const authType = textOf(properties.authType) ?? '';
    if (!AUTH_TYPES.includes(authType))
      throw validationError(
        `properties.authType: expected one of ${AUTH_TYPES.join(', ')}, got '${authType}'.`,
        'authType',
      );
    if (call.existing && authType !== call.existing.resource.properties.authType) next.hidden = {}; // Other credentials than before.
    // azure-ai-ml's template of feature stores writes the one, and its client reads the other, which is published.
    if (properties.category === 'AzureDataLakeGen2') properties.category = 'ADLSGen2';
    checkCategory(call, properties);
    fillDefaults(properties, { isSharedToAll: false, sharedUserList: [], metadata: {} });
  },
  list(call, entries) {
    const matches = (parameter: string, value: Json | undefined): boolean => {
      const wanted = call.query.get(parameter);
      return !wanted || textOf(value)?.toLowerCase() === wanted.toLowerCase();
    };
    return entries.filter(
      ({ resource }) =>
        matches('category', resource.properties.category) && matches('target', resource.properties.target),
    );
  },
  actions: { listsecrets: listSecrets },
};

/**
 * Writes a known category as it is published. Errors: 400 for one that the API has not in the version that is asked
 * for.
 */
function checkCategory(call: Call, properties: JsonObject): void {
  const category = textOf(properties.category);
  if (category === undefined) return;
  const known = CONNECTION_CATEGORIES.find((one) => one.toLowerCase() === category.toLowerCase());
  if (known !== undefined) properties.category = known;
  else if (knowsCategories(call.apiVersion) && category !== call.existing?.resource.properties.category)
    throw validationError(
      `properties.category: '${category}' is no category of connections in api-version ${call.apiVersion}. Expected one of ${CONNECTION_CATEGORIES.join(', ')}.`,
      'category',
    );
}

function listSecrets(call: Call): ActionResult {
  return { body: withSecrets(call.existing) };
}

function withSecrets(stored: Stored | undefined): JsonObject {
  if (!stored) return {}; // The envelope answers 404 before it gets here.
  const { [CREDENTIALS]: credentials, [VALUE]: value } = stored.hidden;
  const properties: JsonObject = { ...stored.resource.properties };
  if (isObject(credentials)) properties.credentials = objectOf(credentials);
  if (value !== undefined) properties.value = value;
  return { ...stored.resource, properties };
}
