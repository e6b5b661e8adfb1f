/** Checks what a shared resource is worth once a region is lost, by its kind and by what Azure guarantees for it. */
import { apiVersions, type ArmResource } from '../azure/azure.ts';
import { isObject, textAt } from '../azure/body/json.ts';
import type { StandbyFinding } from './findings.ts';
import { answerOf, findingOf, probe, reachBlobs, type Look, type MakeFinding } from './inspection.ts';
import { checkRoles } from './check-roles.ts';
import { isOnlyIn, nameOfThing, sameVault, type SharedThing } from '../workspace/sharing.ts';

/** Returns what the loss of the active region means for a shared resource. */
export async function checkShared(look: Look, thing: SharedThing): Promise<StandbyFinding[]> {
  const finding = findingOf({ ...thing, acceptable: true });
  switch (thing.kind) {
    case 'storage':
      return [...(await lookAtAccount(look, thing, finding)), ...(await checkRoles(look, thing))];
    case 'registry':
      return lookAtRegistry(look, thing, finding);
    case 'vault':
      return lookAtVault(look, thing, finding);
    case 'insights':
      return lookAtInsights(look, thing, finding);
  }
}

async function lookAtAccount(look: Look, thing: SharedThing, finding: MakeFinding): Promise<StandbyFinding[]> {
  const { azure, from } = look;
  const { id, secondaryLocation, location, sku } = thing;
  const what = nameOfThing(thing);
  if (id === undefined)
    return [finding('warning', `${what} is used by both sides, and was not found in its subscription`)];
  const answer = await answerOf(look, (signal) => reachBlobs(azure, id, signal));
  const alone = isOnlyIn(from.region, thing);
  const only = `${what}, which both sides use, is in ${from.region} alone (${sku ?? 'of unknown redundancy'})`;
  if (answer.state === 'silent' && alone)
    return [finding('refused', `${only}, and does not answer: what it holds is lost to ${look.to.region}`)];
  if (answer.state === 'silent' && secondaryLocation !== undefined) {
    const promised = await promiseOf(look, id);
    const primary = `${what}, which both sides use, does not answer in ${location}: what it holds cannot be read by datastores`;
    return [
      finding(
        'warning',
        `${primary} until Azure brings that region back, or you fail the account over to ${secondaryLocation} (${promised})`,
      ),
    ];
  }
  if (answer.state === 'silent' || answer.state === 'unknown')
    return [finding('warning', `${what}, which both sides use, does not answer now: ${answer.why}`)];
  if (answer.state === 'missing') return [finding('refused', `${what}, which both sides used, is gone: ${answer.why}`)];
  return alone ? [finding('warning', `${only}: it is lost with ${from.region}`)] : [];
}

/** Describes what Azure says about a geo-redundant account. Its secondary returns that too. */
async function promiseOf(look: Look, id: string): Promise<string> {
  const answer = await answerOf(look, (signal) =>
    look.azure.arm.get(`${id}?$expand=geoReplicationStats`, apiVersions.storage, { signal }),
  );
  return answer.state === 'answered' ? showPromise(answer.value) : 'its last sync time could not be read';
}

/**
 * Example: `Standard_RAGRS, primary unavailable, secondary in step until 2026-…, readable there by its own address`.
 */
function showPromise({ sku, properties }: ArmResource): string {
  const stats = isObject(properties.geoReplicationStats) ? properties.geoReplicationStats : {};
  const name = isObject(sku) ? textAt(sku, 'name') : undefined;
  const primary = textAt(properties, 'statusOfPrimary');
  const last = textAt(stats, 'lastSyncTime');
  return [
    name ?? 'of unknown redundancy',
    ...(primary === undefined ? [] : [`primary ${primary}`]),
    last === undefined ? 'last sync time unknown' : `last sync ${last}: what was written since would be lost`,
    ...(properties.secondaryEndpoints === undefined ? [] : ['readable meanwhile at its secondary address']),
  ].join(', ');
}

/**
 * Does not check whether the registry itself answers: a replica serves its images, and only its own region manages it.
 */
async function lookAtRegistry(look: Look, thing: SharedThing, finding: MakeFinding): Promise<StandbyFinding[]> {
  const { azure, from, to } = look;
  const { id, servedFrom } = thing;
  const what = nameOfThing(thing);
  if (servedFrom?.includes(to.region)) return [];
  if (servedFrom === undefined || id === undefined)
    return [
      finding('warning', `whether ${what}, which both sides use, has a replica in ${to.region} could not be read`),
    ];
  if (!isOnlyIn(from.region, thing))
    return [finding('warning', `${what} has no replica in ${to.region}: images come from ${servedFrom.join(', ')}`)];
  const answer = await answerOf(look, (signal) => azure.arm.get(id, apiVersions.containerRegistry, { signal }));
  const only = `${what}, which both sides use, is served from ${from.region} alone`;
  if (answer.state === 'silent')
    return [finding('refused', `${only}, and does not answer: no image can be pulled or built in ${to.region}`)];
  if (answer.state === 'missing') return [finding('refused', `${what}, which both sides used, is gone`)];
  return [finding('warning', `${only}: give it a replica in ${to.region}`)];
}

async function lookAtVault(
  look: Look,
  { uri, ...thing }: SharedThing,
  finding: MakeFinding,
): Promise<StandbyFinding[]> {
  const what = nameOfThing(thing);
  if (uri === undefined) return [finding('warning', `${what}, which both sides use, could not be read`)];
  // Read already, for its secrets.
  if (look.sealed.secrets.length > 0 && sameVault(uri, look.topology.escrow?.vaults[look.to.region])) return [];
  const answer = await answerOf(look, () => look.azure.vault(uri).get(probe));
  if (answer.state !== 'silent') return [];
  return [
    finding(
      'warning',
      `${what}, which both sides use, does not answer now: ${answer.why}. Key Vault fails over by itself, and is read-only meanwhile`,
    ),
  ];
}

async function lookAtInsights({ from }: Look, thing: SharedThing, finding: MakeFinding): Promise<StandbyFinding[]> {
  if (!isOnlyIn(from.region, thing)) return [];
  return [
    finding(
      'warning',
      `${nameOfThing(thing)}, which both sides use, is in ${from.region}: what the standby tells it is lost with it`,
    ),
  ];
}
