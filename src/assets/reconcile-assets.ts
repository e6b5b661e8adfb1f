/**
 * The action `reconcileAssets`: lists the standby's assets again through the typed client, and compares them with the
 * manifest field by field.
 */
import type { JsonObject } from '../azure/azure.ts';
import { UnderstudyError } from '../errors/error.ts';
import { differences } from '../azure/body/compare.ts';
import type { StepResult } from '../run/work/outcome.ts';
import type { LossAcceptance, StepContext } from '../run/work/step-context.ts';
import { desiredAsset } from './asset-body.ts';
import { assetKey, assetTypes, type AssetType } from '../workspace/asset-types.ts';
import { batches, mapBounded } from '../run/work/bounded.ts';
import { notDoneBy, showFindings, writeFindings, type Finding } from '../run/work/findings.ts';
import { startHeartbeat } from '../run/work/heartbeat.ts';
import { archiveAsset } from './archive-asset.ts';
import { lostAssets } from '../standby/lost-assets.ts';
import { showAcceptance } from '../blobs/lost-blobs.ts';
import type { AssetLine } from '../recovery-point/manifest.ts';
import { readPart } from '../recovery-point/recovery-point.ts';
import { withOutputsResolved } from './resolve-outputs.ts';
import { notWhole, typesOfStep } from './restore-assets.ts';
import { openStandby, type Standby } from '../standby/standby.ts';
import { fail, newTally, skip, toCounts, type Tally } from '../run/work/tally.ts';
import { typedVersions } from './typed-assets.ts';

const readsSideBySide = 8;
const missing = 'missing';

/**
 * An asset that the restore could not register, with a reason, stays counted as failed: one asset that Azure refuses
 * must not stop a region's failover. A different asset of the same name does stop it, because anyone who refers to the
 * name would get the wrong one. An asset with lost blobs is counted as lost, and archived if it is already registered.
 * Errors: ReconciliationError if any asset differs, or any other is missing, unless that loss is accepted;
 * AzureUnavailable; RecoveryPointError.
 */
export async function reconcileAssets(context: StepContext): Promise<StepResult> {
  const standby = await openStandby(context);
  const notDone = await notDoneBy(context, 'restoreAssets');
  const lost = await lostAssets(context, standby.point.sealed);
  const heartbeat = startHeartbeat(context, 'assets');
  const { acceptedLoss: accepted } = context;
  const found: Reconciled = { tallies: new Map(), findings: [], losses: [] };
  for (const type of typesOfStep(context)) {
    found.tallies.set(type, newTally());
    for await (const batch of batches(byName(readPart(context.store, standby.point.sealed, type)), readsSideBySide)) {
      const compared = await mapBounded(batch, readsSideBySide, (lines) => compareVersions(context, standby, lines));
      for (const each of compared.flat()) {
        heartbeat.add(1, 0);
        const why = lost.get(each.key);
        if (why === undefined) count(found, each, { known: notDone.get(each.key), accepted });
        else await setAside(context, standby, found, { ...each, why });
      }
      await heartbeat.beat();
    }
  }
  return conclude(context, standby, found);
}

interface Reconciled {
  tallies: Map<AssetType, Tally>;
  /** Assets that differ or are missing. */
  findings: Finding[];
  /** Assets with lost blobs. */
  losses: Finding[];
}

interface Compared {
  line: AssetLine;
  key: string;
  difference?: string;
}

function count(
  { tallies, findings }: Reconciled,
  { line, key, difference }: Compared,
  { known, accepted }: { known: Finding | undefined; accepted: LossAcceptance | undefined },
): void {
  const tally = tallies.get(line.type) ?? newTally();
  if (difference === undefined) tally.done += 1;
  else if (known?.state === 'skipped') skip(tally, known.reason);
  else if (known && difference === missing) fail(tally, known.reason);
  else {
    const reason = difference === missing ? missing : 'different';
    (accepted ? skip : fail)(tally, `${reason}${showAcceptance(accepted)}`);
    findings.push({ what: key, state: 'failed', reason: difference });
  }
}

/**
 * The loss was found or accepted after the asset was registered. Archives it, so that nobody uses it as if it were
 * complete.
 */
async function setAside(
  context: StepContext,
  { workspace, mapping }: Standby,
  { tallies, losses }: Reconciled,
  { line, key, difference, why }: Compared & { why: string },
): Promise<void> {
  const { arm } = context.azure;
  skip(tallies.get(line.type) ?? newTally(), notWhole);
  const registered = difference !== missing;
  const refusal = registered
    ? await archiveAsset({ line, arm, workspace: workspace.id, mapping, signal: context.signal, why })
    : undefined;
  const is = !registered ? 'not registered' : refusal === undefined ? 'archived' : `not archived (${refusal})`;
  losses.push({ what: key, state: 'failed', reason: `it is ${is}, since it is not whole: ${why}` });
}

async function conclude(
  context: StepContext,
  { point }: Standby,
  { tallies, findings, losses }: Reconciled,
): Promise<StepResult> {
  const { to, acceptedLoss } = context;
  const counts = [...tallies].map(([type, tally]) => toCounts(tally, type, point.sealed.summary.counts[type] ?? 0));
  const expected = counts.reduce((sum, each) => sum + each.expected, 0);
  if (expected === 0)
    return { state: 'skipped', detail: `the recovery point has no ${[...tallies.keys()].join(' and no ')}` };
  // The following steps read what a person has accepted.
  const evidence = await writeFindings(context, acceptedLoss ? 'list' : 'reconciliation', [...findings, ...losses]);
  if (findings.length > 0 && !acceptedLoss) {
    throw new UnderstudyError(
      'ReconciliationError',
      `${findings.length} of ${expected} assets in ${to.region} are not what was to be restored: ${showFindings(findings, 3).join('; ')}`,
      {
        ...(evidence[0] ? { place: evidence[0].blob } : {}),
        next: 'Repair what is named there, then retry the run.',
      },
    );
  }
  const all = counts.map((each) => `${each.done} of ${each.expected} ${each.kind}`);
  const lost = [
    ...findings.map((each) => ({ ...each, reason: `${each.reason}${showAcceptance(acceptedLoss)}` })),
    ...losses,
  ];
  return {
    state: 'completed',
    detail: `found in ${to.region}, fields equal: ${all.join(', ')}${lost.length > 0 ? `; ${lost.length} lost` : ''}`,
    counts,
    evidence,
    ...(lost.length > 0 ? { lost: showFindings(lost) } : {}),
  };
}

/** Groups versions by asset. Versions that are carried only because something refers to them come separately. */
async function* byName(lines: AsyncIterable<AssetLine>): AsyncIterable<AssetLine[]> {
  let group: AssetLine[] = [];
  for await (const line of lines) {
    if (line.version === undefined) continue;
    if (group.length > 0 && group[0]?.name !== line.name) {
      yield group;
      group = [];
    }
    group.push(line);
  }
  if (group.length > 0) yield group;
}

async function compareVersions(
  { azure, to, signal }: StepContext,
  standby: Standby,
  lines: readonly AssetLine[],
): Promise<Compared[]> {
  const [first] = lines;
  if (!first) return [];
  const client = azure.ml(to.workspace.subscriptionId);
  const held = await typedVersions(client, to.workspace, first.type, first.name, signal);
  const place = { arm: azure.arm, workspace: standby.workspace.id, ref: to.workspace, signal };
  const compared: Compared[] = [];
  for (const line of lines) {
    const version = line.version ?? '';
    const there = held.get(version);
    let difference = compare(line, there, standby);
    const resolved = there && difference && (await withOutputsResolved({ properties: there }, place));
    if (resolved) difference = compare(line, resolved, standby);
    compared.push({
      line,
      key: assetKey(line.type, line.name, version),
      ...(difference === undefined ? {} : { difference }),
    });
  }
  return compared;
}

/** Compares an asset's fields, and its description, tags and properties. */
function compare(line: AssetLine, held: JsonObject | undefined, { mapping }: Standby): string | undefined {
  if (!held) return missing;
  const { properties } = desiredAsset(line, mapping);
  const fields = [...assetTypes[line.type].content, 'description', 'tags', 'properties', 'isArchived', 'isAnonymous'];
  const wanted = Object.fromEntries(
    fields.filter((field) => field in properties).map((field) => [field, properties[field] ?? null]),
  );
  const found = differences(wanted, held, '').map(
    ({ place, sent, held: has }) => `${place.replace(/^\./, '')} is ${has}, expected ${sent}`,
  );
  return found.length === 0 ? undefined : found.slice(0, 3).join(', ');
}
