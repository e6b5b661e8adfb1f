/**
 * The action `escrowSecrets`: the secrets of a lost region cannot be read, so they are copied to the standby's vault
 * while both regions are up. A value exists only between two lines of this file: only names and versions are passed on.
 */
import { createHash } from 'node:crypto';
import { apiVersions, type ArmResource, type Json, type JsonObject, type Vault } from '../azure/azure.ts';
import { sameName } from '../azure/ids.ts';
import { isUnderstudyError, messageOf } from '../errors/error.ts';
import type { StepResult } from '../run/work/outcome.ts';
import type { StepContext } from '../run/work/step-context.ts';
import { workspaceId } from '../topology/sides.ts';
import { isBuiltIn, placeOfDatastore } from '../workspace/datastores.ts';
import {
  beginPoint,
  leftBehindList,
  openDraft,
  sealDraft,
  type LeftBehindList,
  type Listing,
} from '../recovery-point/drafts.ts';
import { startHeartbeat, type Heartbeat } from '../run/work/heartbeat.ts';
import type { SecretRef } from '../recovery-point/manifest.ts';
import { isCopied } from '../workspace/source-account.ts';
import { countLines, readLines } from '../recovery-point/parts.ts';
import { listRecoveryPoints } from '../recovery-point/list-points.ts';
import { openByRef } from '../recovery-point/recovery-point.ts';
import { secretless, secretName } from './secret-name.ts';
import { secretWriter, type WriteSecret } from './write-secret.ts';
import { fail, newTally, seen, skip, sum, toCounts, type Tally } from '../run/work/tally.ts';
import { showCount } from '../topology/figures.ts';

/**
 * What Azure refuses to return or to store is counted as failed. The recovery point is made without it.
 * Errors: AzureUnavailable.
 */
export async function escrowSecrets(context: StepContext): Promise<StepResult> {
  const point = await beginPoint(context);
  const listing = await openDraft(context, point, 'listing');
  const uri = context.topology.escrow?.vaults[context.to.region];
  const vault = uri === undefined ? undefined : context.azure.vault(uri);
  const work: Work = {
    context,
    vault,
    write: vault ? secretWriter(vault, context.signal) : () => Promise.reject(new TypeError('no vault')),
    known: await knownVersions(context),
    secrets: [],
    kept: new Map(),
    builtIn: 0,
    tally: newTally(),
    lost: leftBehindList(),
  };
  const heartbeat = startHeartbeat(context, 'secrets');
  const lines = (kind: 'datastores' | 'connections' | 'endpoints') =>
    readLines(context.store, point.folder, listing.parts, kind);
  for await (const datastore of lines('datastores')) {
    await escrowDatastore(work, listing, datastore);
    await heartbeat.beat();
  }
  for await (const connection of lines('connections')) {
    await escrowConnection(work, connection);
    await heartbeat.beat();
  }
  for await (const endpoint of lines('endpoints')) {
    await escrowEndpoint(work, endpoint);
    await heartbeat.beat();
  }
  await lookAfresh(work, heartbeat);
  const leftBehind = work.lost.all();
  const facts = await sealDraft(context, point, 'escrowed', { secrets: work.secrets, leftBehind });
  return {
    ...describe(work.tally, context.to.region, uri),
    counts: [toCounts(work.tally, 'secrets', expectedOf(listing, work))],
    facts,
    ...(leftBehind.length > 0
      ? {
          lost: leftBehind.map(
            (each) => `${each.kind} ${each.examples.join(', ')}: secret not in escrow: ${each.reason}`,
          ),
        }
      : {}),
  };
}

interface Work {
  context: StepContext;
  vault: Vault | undefined;
  write: WriteSecret;
  /** Versions by secret, from the previous recovery point. */
  known: Map<string, string>;
  secrets: SecretRef[];
  /** By secret: the digest of the value that the vault must have. */
  kept: Map<string, string>;
  /** Number of datastores that Azure makes: the standby has its own. */
  builtIn: number;
  tally: Tally;
  lost: LeftBehindList;
}

async function escrowDatastore(work: Work, { accounts, sharing }: Listing, datastore: ArmResource): Promise<void> {
  if (isBuiltIn(datastore.name)) {
    work.builtIn += 1;
    return;
  }
  const { credentials, blob } = placeOfDatastore(datastore);
  if (credentials === 'None') return skip(work.tally, 'identity-based: there is no secret');
  const copied = blob !== undefined && isCopied(accounts, blob);
  if (copied && (credentials === 'AccountKey' || credentials === 'Sas')) {
    return skip(work.tally, "on copied storage: the credential is issued from the standby's own account");
  }
  if (!work.vault && sharing.inBoth.some((name) => sameName(name, datastore.name)))
    return skip(work.tally, 'the standby has it already, with credentials of its own');
  await keep(work, 'datastore', datastore.name, async () => {
    const path = `${workspaceId(work.context.from.workspace)}/datastores/${encodeURIComponent(datastore.name)}/listSecrets`;
    return work.context.azure.arm.post(path, apiVersions.machineLearning, {}, { signal: work.context.signal });
  });
}

async function escrowConnection(work: Work, connection: ArmResource): Promise<void> {
  const { authType } = connection.properties;
  if (typeof authType !== 'string' || secretless.has(authType))
    return skip(work.tally, 'identity-based: there is no secret');
  await keep(work, 'connection', connection.name, async () => {
    const path = `${workspaceId(work.context.from.workspace)}/connections/${encodeURIComponent(connection.name)}/listsecrets`;
    const answer = await work.context.azure.arm.post(
      path,
      apiVersions.machineLearning,
      {},
      { signal: work.context.signal },
    );
    const { credentials, value } = (answer as { properties?: JsonObject } | null)?.properties ?? {};
    // A managed identity is named if it is not the workspace's own. `value` is an older form of credentials that Azure
    // may still return.
    if (!credentials && !value) return authType === 'ManagedIdentity' ? {} : null;
    return { ...(credentials ? { credentials } : {}), ...(value ? { value } : {}) };
  });
}

/** Escrows an endpoint's keys. The standby gets the same keys, so that clients do not have to change theirs. */
async function escrowEndpoint(work: Work, endpoint: ArmResource): Promise<void> {
  if (endpoint.properties.authMode !== 'Key') return skip(work.tally, 'its tokens are issued by the standby itself');
  await keep(work, 'endpoint', endpoint.name, async () => {
    const path = `${workspaceId(work.context.from.workspace)}/onlineEndpoints/${encodeURIComponent(endpoint.name)}/listKeys`;
    return work.context.azure.arm.post(path, apiVersions.machineLearning, undefined, {
      signal: work.context.signal,
    });
  });
}

async function keep(work: Work, kind: SecretRef['kind'], name: string, read: () => Promise<Json>): Promise<void> {
  const { context, vault, tally, lost } = work;
  if (!vault) {
    skip(tally, `no escrow vault is declared for ${context.to.region}`);
    lost.add(kind, `no escrow vault is declared for ${context.to.region} (escrow.vaults)`, name);
    return;
  }
  try {
    const value = await read();
    if (value === null) {
      fail(tally, 'Azure returned no secret');
      lost.add(kind, 'Azure returned no secret', name);
      return;
    }
    const text = JSON.stringify(value);
    const ref = await put(work, vault, kind, name, text);
    work.secrets.push({ kind, name, ...ref });
    work.kept.set(ref.secret, sha256(text));
  } catch (error) {
    if (!isUnderstudyError(error, 'AzureError')) throw error;
    fail(tally, 'Azure refused');
    lost.add(kind, messageOf(error), name);
  }
}

/** Writes a secret unless the vault has it already: each write is a version, and some vaults bill and cap them. */
async function put(
  { context, known, write }: Work,
  vault: Vault,
  kind: SecretRef['kind'],
  name: string,
  value: string,
): Promise<{ secret: string; version: string }> {
  const secret = secretName({
    topology: context.topology.name,
    region: context.from.region,
    kind,
    resource: name,
  });
  const version = known.get(secret);
  if (version !== undefined && (await vault.get(secret)) === value) return { secret, version };
  const tags = { understudy: context.topology.name, kind, resource: name, region: context.from.region };
  return { secret, version: (await write(secret, value, tags)).version };
}

/** How many secrets the listing has. Each is kept, skipped or failed. */
function expectedOf({ parts }: Listing, { builtIn }: Work): number {
  return countLines(parts, 'datastores') - builtIn + countLines(parts, 'connections') + countLines(parts, 'endpoints');
}

/**
 * Counts what the vault returns, whatever the responses to the writes were. A secret that the vault does not have is
 * not in the recovery point.
 */
async function lookAfresh(work: Work, heartbeat: Heartbeat): Promise<void> {
  const held: SecretRef[] = [];
  for (const ref of work.secrets) {
    const reason = await whyNotHeld(work, ref);
    if (reason === undefined) {
      held.push(ref);
      work.tally.done += 1;
    } else {
      fail(work.tally, reason);
      work.lost.add(ref.kind, reason, ref.name);
    }
    await heartbeat.beat();
  }
  work.secrets = held;
}

async function whyNotHeld({ vault, kept }: Work, { secret }: SecretRef): Promise<string | undefined> {
  try {
    const value = await vault?.get(secret);
    if (value === undefined) return 'the vault does not have it';
    return sha256(value) === kept.get(secret) ? undefined : 'the vault has another value';
  } catch (error) {
    if (!isUnderstudyError(error, 'AzureError')) throw error;
    return `the vault does not return it: ${messageOf(error)}`;
  }
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

async function knownVersions({ store, from }: StepContext): Promise<Map<string, string>> {
  const newest = (await listRecoveryPoints(store, { limit: 1, region: from.region })).sealed[0];
  if (!newest) return new Map();
  const { sealed } = await openByRef(store, newest.ref);
  return new Map(sealed.secrets.map(({ secret, version }) => [secret, version]));
}

function describe(tally: Tally, region: string, uri: string | undefined): Pick<StepResult, 'state' | 'detail'> {
  const failed = sum(tally.failed);
  if (uri === undefined) {
    return {
      state: 'skipped',
      detail: `no escrow vault is declared for ${region}: ${showCount(seen(tally), 'secret')} looked at, none kept`,
    };
  }
  if (seen(tally) === sum(tally.skipped))
    return { state: 'skipped', detail: 'there is no secret that the standby cannot issue itself' };
  return {
    state: 'completed',
    detail: `${showCount(tally.done, 'secret')} in the vault of ${region}${failed > 0 ? `, ${failed} not` : ''}`,
  };
}
