/**
 * What a command works with: the topology, Azure, and the control store. Opened once, with errors that say what to do.
 */
import type { TokenCredential } from '@azure/core-auth';
import { z } from 'zod';
import { loadTopology, makeBundle, type LoadedTopology } from '../bundle/make-bundle.ts';
import type { Azure } from '../azure/azure.ts';
import { cloudFrom, credentialFrom } from '../azure/cloud.ts';
import { connectAzure } from '../azure/connect.ts';
import { azureError } from '../azure/errors.ts';
import { openControlStore } from '../control-store/connect.ts';
import { documentKind } from '../control-store/document.ts';
import type { ControlStore } from '../control-store/store.ts';
import { isUnderstudyError, messageOf, UnderstudyError } from '../errors/error.ts';
import type { Bundle } from '../run/bundle.ts';
import { toSeconds } from '../topology/duration.ts';

/** Milliseconds that signing in may take. */
const signInMs = 15_000;

/** A topology, and the clients for its control store and Azure. */
export interface Session extends LoadedTopology {
  azure: Azure;
  store: ControlStore;
  /**
   * What a new run takes from this disk, made once, on first use: what is sealed is what the plan was compiled for. An
   * existing run has its own, in the control store. Throws TopologyError for a template that cannot be loaded.
   */
  bundle: () => Promise<Bundle>;
}

/**
 * Throws TopologyError, UsageError, CredentialError; AzureUnavailable if Azure or the control store does not answer.
 */
export async function openSession(file: string, environment: NodeJS.ProcessEnv = process.env): Promise<Session> {
  const loaded = await loadTopology(file);
  const settings = settingsOf(environment);
  const credential = credentialFrom(settings);
  await signInWith(credential, settings);
  const azure = connectAzure({
    credential,
    cloud: cloudFrom(settings),
    requestTimeoutMs: toSeconds(loaded.topology.policies.requestTimeout) * 1000,
  });
  const store = await openStore(azure, loaded);
  let made: Promise<Bundle> | undefined;
  return { ...loaded, azure, store, bundle: () => (made ??= makeBundle(loaded)) };
}

async function openStore(azure: Azure, loaded: LoadedTopology): Promise<ControlStore> {
  const { file, topology } = loaded;
  const { storageAccount, container } = topology.controlStore;
  try {
    const store = await openControlStore(azure, topology.controlStore);
    await claim(store, loaded);
    return store;
  } catch (error) {
    if (!isUnderstudyError(error)) throw error;
    const next =
      error.details.next ??
      (error.details.azure?.status === 404
        ? `Make the storage account, or name the right one: controlStore in "${file}".`
        : isUnderstudyError(error, 'AzureUnavailable')
          ? 'Everything that must outlive a region is there: see "The control store cannot be reached" in docs/operations.md.'
          : undefined);
    throw new UnderstudyError(
      error.code,
      `cannot open the control store ${storageAccount}/${container}: ${messageOf(error)}`,
      { ...error.details, ...(next === undefined ? {} : { next }), cause: error },
    );
  }
}

const Claim = z.strictObject({ topology: z.string() });
/**
 * The claim is read first, so that a store of another version is refused before anything else is read. Its version is
 * raised with that of any document whose form changes.
 */
const claims = documentKind('claim of the control store', 3, Claim);
const claimName = 'topology.json';

/**
 * A control store has one region pointer, so it serves one topology: the first that used it. TopologyError for any
 * other; ControlStoreError if another release made it.
 */
export async function claim(
  store: ControlStore,
  { file, topology }: Pick<LoadedTopology, 'file' | 'topology'>,
): Promise<void> {
  for (;;) {
    const found = await claims.read(store, claimName);
    if (found?.value.topology === topology.name) return;
    if (found) {
      throw new UnderstudyError(
        'TopologyError',
        `it belongs to the topology "${found.value.topology}", and "${file}" is "${topology.name}"`,
        { next: `Give "${topology.name}" a container of its own: controlStore.container in "${file}".` },
      );
    }
    await claims.swap(store, claimName, { topology: topology.name }, undefined);
  }
}

/** Throws UsageError if a variable that should have a URL does not. An empty variable counts as not set. */
export function azureFrom(environment: NodeJS.ProcessEnv, requestTimeoutMs = 10_000): Azure {
  const settings = settingsOf(environment);
  return connectAzure({
    credential: credentialFrom(settings),
    cloud: cloudFrom(settings),
    requestTimeoutMs,
  });
}

/**
 * Requests a token, so that a wrong credential is found before anything depends on it. CredentialError if it is
 * refused; AzureUnavailable if there is no answer.
 */
export async function signIn(environment: NodeJS.ProcessEnv): Promise<void> {
  const settings = settingsOf(environment);
  await signInWith(credentialFrom(settings), settings);
}

async function signInWith(credential: TokenCredential, settings: NodeJS.ProcessEnv): Promise<void> {
  const scope = `${cloudFrom(settings).resourceManagerAudience}/.default`;
  try {
    await credential.getToken(scope, { abortSignal: AbortSignal.timeout(signInMs) });
  } catch (error) {
    throw azureError('signing in to Azure', error);
  }
}

function settingsOf(environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const settings = Object.fromEntries(Object.entries(environment).filter(([, value]) => value !== ''));
  for (const name of ['AZURE_AUTHORITY_HOST', 'AZURE_RESOURCE_MANAGER_ENDPOINT'] as const) {
    const value = settings[name];
    if (value === undefined || /^https:\/\/[^/\s]/.test(value)) continue;
    throw new UnderstudyError(
      'UsageError',
      `the environment variable ${name}: expected a URL such as "https://login.microsoftonline.com", got "${value}"`,
    );
  }
  return settings;
}
