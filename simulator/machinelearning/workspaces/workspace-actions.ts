/** POST …/workspaces/{name}/{action}: the keys of what a workspace is made of, and its own doctor. */

import { createHash } from 'node:crypto';
import type { ActionResult, Call, JsonObject, Stored } from '../../contract/index.ts';
import { refreshDefaultSecrets, storageAccountOf } from '../data/default-datastores.ts';
import { objectOf, textOf } from '../bodies/fields.ts';
import { provisionNetwork } from './network.ts';

const DIAGNOSED = {
  storageAccountResults: 'storageAccount',
  keyVaultResults: 'keyVault',
  containerRegistryResults: 'containerRegistry',
  applicationInsightsResults: 'applicationInsights',
} as const;

export const workspaceActions: Record<string, (call: Call) => ActionResult | Promise<ActionResult>> = {
  listkeys: async (call) => ({
    body: {
      userStorageKey: storageKey(call),
      userStorageResourceId: workspaceOf(call).resource.properties.storageAccount ?? null,
      appInsightsInstrumentationKey: instrumentationKey(call),
      containerRegistryCredentials: await registryCredentials(call),
      notebookAccessKeys: notebookKeys(call),
    },
  }),
  liststorageaccountkeys: (call) => ({ body: { userStorageKey: storageKey(call) } }),
  listnotebookkeys: (call) => ({ body: notebookKeys(call) }),
  listnotebookaccesstoken: (call) => ({ body: notebookAccessToken(call) }),
  preparenotebook: (call) => ({
    longRunning: {
      milliseconds: 1000,
      finish: () => objectOf(workspaceOf(call).resource.properties.notebookInfo),
    },
  }),
  resynckeys: (call) => ({
    longRunning: {
      milliseconds: 1000,
      finish: () => {
        refreshDefaultSecrets(call.cloud, workspaceOf(call));
        return undefined;
      },
    },
  }),
  provisionmanagednetwork: provisionNetwork,
  diagnose: (call) => ({ longRunning: { milliseconds: 1000, finish: () => diagnosis(call) } }),
};

function workspaceOf(call: Call): Stored {
  if (!call.existing) throw new Error(`no workspace '${call.id.id}'`); // The envelope answers 404 before it gets here.
  return call.existing;
}

function storageKey(call: Call): string | null {
  return call.cloud.blobs.keys(storageAccountOf(workspaceOf(call)) ?? '')?.key1 ?? null;
}

function instrumentationKey(call: Call): string | null {
  const id = textOf(workspaceOf(call).resource.properties.applicationInsights);
  const insights = id === undefined ? undefined : call.cloud.store.get(id);
  return textOf(insights?.resource.properties.InstrumentationKey) ?? null;
}

/** The registry's admin user, where the registry has one. */
async function registryCredentials(call: Call): Promise<JsonObject | null> {
  const id = textOf(workspaceOf(call).resource.properties.containerRegistry);
  const registry = id === undefined ? undefined : call.cloud.store.get(id);
  if (!registry || registry.resource.properties.adminUserEnabled !== true) return null;
  const listed = objectOf(await call.cloud.invokeAction(registry.resource.id, 'listCredentials', {}, '2023-07-01'));
  return {
    location: registry.region,
    username: listed.username ?? registry.resource.name,
    passwords: listed.passwords ?? [],
  };
}

/** Derived from the workspace's own id: the same as long as the workspace lives, another for its successor. */
function derived(workspace: Stored, purpose: string): string {
  return createHash('sha256')
    .update(`${textOf(workspace.resource.properties.workspaceId)}|${purpose}`)
    .digest('hex');
}

function notebookKeys(call: Call): JsonObject {
  const workspace = workspaceOf(call);
  return {
    primaryAccessKey: derived(workspace, 'notebook-1'),
    secondaryAccessKey: derived(workspace, 'notebook-2'),
  };
}

function notebookAccessToken(call: Call): JsonObject {
  const workspace = workspaceOf(call);
  const notebook = objectOf(workspace.resource.properties.notebookInfo);
  return {
    notebookResourceId: notebook.resourceId ?? null,
    hostName: notebook.fqdn ?? null,
    publicDns: notebook.fqdn ?? null,
    accessToken: derived(workspace, `token-${Math.floor(call.cloud.clock.now() / 3_600_000)}`),
    tokenType: 'Bearer',
    expiresIn: 3600,
    refreshToken: derived(workspace, 'refresh'),
    scope: 'aznb_identity',
  };
}

/** Looks whether what the workspace depends on is still there. */
function diagnosis(call: Call): JsonObject {
  const { properties } = workspaceOf(call).resource;
  const value: JsonObject = {
    userDefinedRouteResults: [],
    networkSecurityRuleResults: [],
    resourceLockResults: [],
    dnsResolutionResults: [],
    otherResults: [],
  };
  for (const [results, field] of Object.entries(DIAGNOSED)) {
    const id = textOf(properties[field]);
    const gone = id !== undefined && !call.cloud.store.get(id);
    value[results] = gone
      ? [
          {
            code: 'ResourceNotFound',
            level: 'Error',
            message: `The ${field} '${id}' of the workspace does not exist.`,
          },
        ]
      : [];
  }
  return { value };
}
