/**
 * The action `configureDatastores`: creates the datastores that the standby lacks, on its own storage, with its own
 * credentials.
 */
import { z } from 'zod';
import { apiVersions, type ArmResource, type JsonObject } from '../azure/azure.ts';
import { sameName } from '../azure/ids.ts';
import { isUnderstudyError, messageOf } from '../errors/error.ts';
import type { StepResult } from '../run/work/outcome.ts';
import type { StepContext } from '../run/work/step-context.ts';
import { sameContainer, type Container } from '../workspace/sharing.ts';
import { ensureContainer } from '../azure/storage/blobs.ts';
import { isBuiltIn, placeOfDatastore, standbyContainer, type DatastorePlace } from '../workspace/datastores.ts';
import { escrowed } from './escrowed.ts';
import { showFindings, writeFindings, type Finding } from '../run/work/findings.ts';
import { startHeartbeat, type Heartbeat } from '../run/work/heartbeat.ts';
import { isCopied } from '../workspace/source-account.ts';
import { readPart } from '../recovery-point/recovery-point.ts';
import { openStandby, type Standby } from '../standby/standby.ts';
import { fail, newTally, skip, sum, toCounts, type Tally } from '../run/work/tally.ts';
import { showCount } from '../topology/figures.ts';
import { nameOfId } from '../workspace/workspace.ts';

interface Work {
  context: StepContext;
  standby: Standby;
  tally: Tally;
  findings: Finding[];
  /** Datastores that were moved back from another account, and where they were. If absent, none is moved back yet. */
  returned?: Returned;
}

/** Where each datastore was, by name. Kept in the cursor, because nothing else records it afterwards. */
type Returned = Record<string, string>;

/**
 * What Azure refuses is counted as failed.
 * Errors: AzureUnavailable, RecoveryPointError, PreconditionError.
 */
export async function configureDatastores(context: StepContext): Promise<StepResult> {
  const standby = await openStandby(context);
  const wanted = await namesWanted(context, standby);
  if (wanted.length === 0) {
    return { state: 'skipped', detail: 'the active workspace had no datastore but those that Azure makes' };
  }
  const returned = returnedOf(context);
  const work = await createDatastores(context, standby, startHeartbeat(context, 'datastores'), returned);
  const { tally, findings } = await lookAfresh(context, standby, wanted, work);
  const left = Object.entries(returned).map(
    ([name, was]) =>
      `datastore ${name} is on "${standby.account.name}" now, where its blobs were restored; ${was}, where it was before, is unchanged`,
  );
  const notMade = sum(tally.skipped) + sum(tally.failed);
  return {
    state: 'completed',
    detail: `${showCount(tally.done, 'datastore')} in ${context.to.region}, ${work.tally.already} of them already there${notMade > 0 ? `; ${notMade} not` : ''}`,
    counts: [toCounts(tally, 'datastores', wanted.length)],
    evidence: await writeFindings(context, 'list', findings),
    ...(findings.length + left.length > 0 ? { lost: [...showFindings(findings), ...left] } : {}),
  };
}

/** What an earlier attempt recorded. */
function returnedOf({ cursor }: StepContext): Returned {
  return z.object({ returned: z.record(z.string(), z.string()) }).safeParse(cursor).data?.returned ?? {};
}

/** The standby has its own of the datastores that Azure makes. */
async function namesWanted({ store }: StepContext, { point }: Standby): Promise<string[]> {
  const names: string[] = [];
  for await (const { name } of readPart(store, point.sealed, 'datastores')) if (!isBuiltIn(name)) names.push(name);
  return names;
}

/** Counts what the standby lists, whatever the responses to the writes were. */
async function lookAfresh(
  { azure, signal }: StepContext,
  { workspace }: Standby,
  wanted: readonly string[],
  made: Pick<Work, 'findings'>,
): Promise<Pick<Work, 'tally' | 'findings'>> {
  const listed = await Array.fromAsync(
    azure.arm.list(`${workspace.id}/datastores`, apiVersions.machineLearning, { signal }),
  );
  const tally = newTally();
  const findings = [...made.findings];
  for (const name of wanted) {
    const what = `datastore ${name}`;
    const known = made.findings.find((each) => each.what === what);
    if (known) (known.state === 'skipped' ? skip : fail)(tally, known.reason);
    else if (listed.some((each) => sameName(each.name, name))) tally.done += 1;
    else {
      const reason = 'it was made, and the standby does not list it';
      fail(tally, reason);
      findings.push({ what, state: 'failed', reason });
    }
  }
  return { tally, findings };
}

/**
 * Creates the datastores that are missing. Also called before assets are registered, because Azure refuses an asset
 * whose datastore does not exist. With `returned`, datastores whose containers were renamed by the first failover are
 * pointed back to the standby's own account.
 */
export async function createDatastores(
  context: StepContext,
  standby: Standby,
  heartbeat: Heartbeat,
  returned?: Returned,
): Promise<Pick<Work, 'tally' | 'findings'>> {
  const work: Work = { context, standby, tally: newTally(), findings: [], ...(returned ? { returned } : {}) };
  for await (const datastore of readPart(context.store, standby.point.sealed, 'datastores')) {
    if (isBuiltIn(datastore.name)) continue;
    const before = Object.keys(returned ?? {}).length;
    await configure(work, datastore);
    if (returned && Object.keys(returned).length > before) await heartbeat.save({ returned: { ...returned } });
    await heartbeat.beat();
  }
  return work;
}

async function configure(work: Work, datastore: ArmResource): Promise<void> {
  try {
    await bring(work, datastore);
  } catch (error) {
    if (!isUnderstudyError(error, 'AzureError')) throw error;
    if (work.returned) delete work.returned[datastore.name];
    leave(work, datastore.name, 'failed', messageOf(error));
  }
}

async function bring(work: Work, datastore: ArmResource): Promise<void> {
  const { context, standby, tally } = work;
  const { azure, signal } = context;
  const place = placeOfDatastore(datastore);
  const there = standby.datastores.find(({ name }) => sameName(name, datastore.name));
  if (there && isSameStore(standby, place, placeOfDatastore(there))) {
    // The datastore exists, with the standby's own credentials.
    tally.done += 1;
    tally.already += 1;
    return;
  }
  const body = await desired(work, datastore, place);
  if ('reason' in body) return leave(work, datastore.name, 'skipped', body.reason);
  const made = placeOfDatastore({ ...datastore, properties: body.properties }).blob;
  const held = there && placeOfDatastore(there).blob;
  if (there) {
    const same = !made || (sameName(made.account, held?.account) && made.container === held?.container);
    if (same) {
      tally.done += 1;
      tally.already += 1;
      return;
    }
    if (!held || !isRenamed(standby, place, held)) return leave(work, datastore.name, 'failed', elsewhere(held, made));
    if (!work.returned) return;
  }
  // Create the container even if no blob is restored into it, so that jobs can write to it.
  if (made && sameName(made.account, standby.account.name))
    await ensureContainer(standby.account.container(made.container), signal);
  const path = `${standby.workspace.id}/datastores/${encodeURIComponent(datastore.name)}?skipValidation=true`;
  if (work.returned && held) work.returned[datastore.name] = `${held.account}/${held.container}`;
  await azure.arm.put(path, apiVersions.machineLearning, { properties: body.properties }, { signal });
  tally.done += 1;
}

/**
 * Whether the active side's container is a renamed copy of this one. Containers of a second account are renamed when
 * they are copied to the account of the standby's workspace. On failback, the copy is found under that name.
 */
function isRenamed({ point }: Standby, { blob }: DatastorePlace, held: Container): boolean {
  const source = point.sealed.accounts.find(({ name }) => sameName(name, blob?.account));
  if (!blob || source?.own !== true) return false;
  return standbyContainer({ name: held.account, own: false }, held.container) === blob.container;
}

function elsewhere(held: Container | undefined, wanted: Container): string {
  return `the standby's datastore points to ${held?.account}/${held?.container}, expected ${wanted.account}/${wanted.container}`;
}

/** Whether both sides have the same container under this name. */
function isSameStore({ point }: Standby, { blob }: DatastorePlace, there: DatastorePlace): boolean {
  return (
    blob !== undefined &&
    there.blob !== undefined &&
    !isCopied(point.sealed.accounts, blob) &&
    sameContainer(blob, there.blob)
  );
}

function leave({ tally, findings }: Work, what: string, state: Finding['state'], reason: string): void {
  (state === 'skipped' ? skip : fail)(tally, reason);
  findings.push({ what: `datastore ${what}`, state, reason });
}

/** Set by Azure. */
const readOnly = new Set(['isDefault', 'provisioningState', 'resourceGroup', 'subscriptionId']);

async function desired(
  work: Work,
  datastore: ArmResource,
  place: DatastorePlace,
): Promise<{ properties: JsonObject } | { reason: string }> {
  const { sealed } = work.standby.point;
  const kept = Object.entries(datastore.properties).filter(([key]) => !readOnly.has(key));
  const properties: JsonObject = Object.fromEntries(kept);
  const { blob } = place;
  const copied = blob !== undefined && isCopied(sealed.accounts, blob);
  if (!copied && place.unsupported !== undefined) return { reason: place.unsupported };
  const credentials = await credentialsFor(work, datastore, place, copied);
  if ('reason' in credentials) return credentials;
  if (!copied) return { properties: { ...properties, ...credentials } };
  const container = work.standby.containerFor(blob.account, blob.container);
  return {
    properties: {
      ...properties,
      ...credentials,
      ...addressOf(work.standby),
      [place.type === 'AzureDataLakeGen2' ? 'filesystem' : 'containerName']: container,
    },
  };
}

/** The address suffix is the standby's own: it may be another cloud's, or private. */
function addressOf({ workspace, datastores }: Standby): JsonObject {
  const own = datastores.find(({ name }) => sameName(name, 'workspaceblobstore'))?.properties ?? {};
  const { endpoint, protocol } = own;
  const [, , , , group] = workspace.storageAccountId.split('/');
  return {
    accountName: nameOfId(workspace.storageAccountId),
    subscriptionId: workspace.subscriptionId,
    ...(group === undefined ? {} : { resourceGroup: group }),
    ...(typeof endpoint === 'string' ? { endpoint } : {}),
    ...(typeof protocol === 'string' ? { protocol } : {}),
  };
}

/**
 * Keys and signatures of copied storage are issued by the target account, never copied. All other credentials come from
 * escrow.
 */
async function credentialsFor(
  { context, standby }: Work,
  datastore: ArmResource,
  { credentials, name }: DatastorePlace,
  copied: boolean,
): Promise<{ credentials: JsonObject } | { reason: string }> {
  if (credentials === 'None') return { credentials: { credentialsType: 'None' } };
  if (copied && (credentials === 'AccountKey' || credentials === 'Sas')) {
    const key = await accountKey(context, standby.workspace.storageAccountId);
    if (key === undefined) return { reason: "Azure returned no key of the standby's storage account" };
    return { credentials: { credentialsType: 'AccountKey', secrets: { secretsType: 'AccountKey', key } } };
  }
  const secrets = await escrowed(context, standby.point.sealed, 'datastore', name);
  if ('reason' in secrets) return secrets;
  return { credentials: { ...(datastore.properties['credentials'] as JsonObject), secrets: secrets.value } };
}

async function accountKey({ azure, signal }: StepContext, accountId: string): Promise<string | undefined> {
  const answer = await azure.arm.post(`${accountId}/listKeys`, apiVersions.storage, undefined, { signal });
  return (answer as { keys?: { value?: string }[] } | null)?.keys?.[0]?.value;
}
