/** The action `listActive`: lists the active workspace, and what must be copied so that the standby can replace it. */
import { apiVersions } from '../azure/azure.ts';
import { jobsLeftCancelled } from '../fence/left-cancelled.ts';
import { stoppedByRun } from '../fence/stopped-by-run.ts';
import type { StepResult } from '../run/work/outcome.ts';
import type { StepContext } from '../run/work/step-context.ts';
import { beginPoint, leftBehindList, sealDraft, showLeftBehind, type Listing } from '../recovery-point/drafts.ts';
import { startHeartbeat } from '../run/work/heartbeat.ts';
import { jobOutputs, type JobOutputs } from '../workspace/jobs/job-outputs.ts';
import { listAssets } from './list-assets.ts';
import { listOthers } from './list-others.ts';
import { listResources } from './list-resources.ts';
import type { Part, Unit } from '../recovery-point/manifest.ts';
import { collectNeeded } from './needed.ts';
import { partWriter } from '../recovery-point/parts.ts';
import { gpusOfRegion } from '../workspace/vm-sizes.ts';
import { nameMissing } from './name-missing.ts';
import { lostImages } from './own-registry.ts';
import { textAt } from '../azure/body/json.ts';
import { findSourceStores } from './source-stores.ts';
import { findSharing, readUsed, refuseOneDefault, sharedContainers, type Used } from '../workspace/find-sharing.ts';
import type { SharedThing, Sharing } from '../workspace/sharing.ts';
import { resourceClasses } from '../topology/words.ts';
import { sameName } from '../azure/ids.ts';
import { showCount } from '../topology/figures.ts';
import { findWorkspace } from '../workspace/workspace.ts';

/** Errors: PreconditionError if the workspace does not exist, AzureUnavailable if it does not answer. */
export async function listActive(context: StepContext): Promise<StepResult> {
  const { azure, store, topology, from, to, signal } = context;
  const point = await beginPoint(context);
  const heartbeat = startHeartbeat(context, 'resources');
  const leftBehind = leftBehindList();
  const workspace = await findWorkspace(azure.arm, from, signal);
  const datastores = await Array.fromAsync(
    azure.arm.list(`${workspace.id}/datastores`, apiVersions.machineLearning, { signal }),
  );
  const active: Used = { region: from.region, workspace: workspace.resource, datastores };
  const standby = await readUsed(azure.arm, to, { signal });
  refuseOneDefault(active, standby);
  const inBoth = sharedContainers(active, standby);
  const stores = await findSourceStores({ azure, workspace, datastores, leftBehind, inBoth, signal });
  const outputs = jobOutputs(azure.arm, workspace.id, signal);
  const images = await lostImages({
    arm: azure.arm,
    registry: workspace.associated['containerRegistry'],
    standby: standby && textAt(standby.workspace.properties, 'containerRegistry'),
    region: to.region,
    signal,
  });
  const needed = collectNeeded(stores, outputs, topology.jobs.checkpoint, leftBehind, images);

  const common = { arm: azure.arm, store, folder: point.folder, heartbeat, signal };
  const assets = await listAssets({
    ...common,
    workspace: workspace.id,
    selection: topology.artifacts,
    leftBehind,
    onAsset: (line) => needed.asset(line),
  });
  const leftCancelled = await jobsLeftCancelled(store, from.region);
  const stopped = await stoppedByRun(store, { run: context.run.runId, region: from.region });
  const resources = await listResources({ ...common, workspace, needed, leftCancelled, stopped }, datastores);
  await listOthers(azure.arm, workspace, leftBehind, signal);
  needed.paths(topology.artifacts.paths);
  await assets.close(() => needed.takeReferences());
  await nameMissing({
    arm: azure.arm,
    workspace: workspace.id,
    leftBehind,
    references: needed.named(),
    has: {
      computes: resources.computes.map(({ name }) => name),
      datastores: datastores.map(({ name }) => name),
      endpoints: resources.endpoints.map(({ name }) => name),
    },
    signal,
  });

  const units = needed.units();
  const sharedUnits = needed.sharedUnits();
  const sharing = await findSharing(azure.arm, active, standby, { signal });
  const { subscriptionId, resourceGroup, name, guid, location, associated } = workspace;
  const listing: Listing = {
    workspace: { subscriptionId, resourceGroup, name, guid, location, associated },
    accounts: stores.accounts,
    shared: stores.shared,
    sharing: withNeeds(sharing, sharedUnits),
    foldersShared: sharedUnits.length,
    parts: [
      ...(await assets.end()),
      ...resources.parts,
      ...(await writeOutputs(context, point.folder, outputs)),
      ...(await writeUnits(context, point.folder, units)),
    ],
    counts: { ...assets.counts, ...resources.counts, folders: units.length },
    leftBehind: leftBehind.all(),
    computes: resources.computes,
    ...(await gpusOfRegion(context, workspace)),
    endpoints: resources.endpoints,
    jobs: resources.jobs,
    leftCancelled,
  };
  const lost = [
    ...shortList(resources.lost),
    ...listing.leftBehind.filter(({ chosen }) => !chosen).map(showLeftBehind),
  ];
  return {
    state: 'completed',
    detail: describe(listing, from.region),
    facts: {
      ...(await sealDraft(context, point, 'listing', listing)),
      ...(resources.newestJobAt === undefined ? {} : { newestJobAt: resources.newestJobAt }),
    },
    ...(lost.length > 0 ? { lost } : {}),
  };
}

/** Adds which classes need a shared account, and how much of it. */
function withNeeds({ things, ...rest }: Sharing, units: readonly Unit[]): Sharing {
  const needed = things.map((thing): SharedThing => {
    const own = units.filter(({ account }) => sameName(account, thing.name));
    if (thing.kind !== 'storage' || own.length === 0) return thing;
    const classes = new Set(own.flatMap(({ places }) => places.map((place) => place.class)));
    return { ...thing, classes: resourceClasses.filter((each) => classes.has(each)), folders: own.length };
  });
  return { ...rest, things: needed };
}

/** How many lines to print. The ledger has the rest. */
const longestList = 20;

function shortList(jobs: readonly string[]): string[] {
  const more = jobs.length - longestList;
  return [...jobs.slice(0, longestList), ...(more > 0 ? [`and ${more} more jobs that a fence cancelled`] : [])];
}

async function writeOutputs({ store }: StepContext, folder: string, outputs: JobOutputs): Promise<Part[]> {
  const writer = partWriter(store, folder, 'job-outputs');
  for (const line of outputs.all()) await writer.add(line);
  return writer.end();
}

async function writeUnits({ store }: StepContext, folder: string, units: readonly Unit[]): Promise<Part[]> {
  const writer = partWriter(store, folder, 'units');
  for (const unit of units) await writer.add(unit);
  return writer.end();
}

function describe({ counts, workspace, foldersShared }: Listing, region: string): string {
  const of = (kind: string, one: string, many?: string) => showCount(counts[kind] ?? 0, one, many);
  return (
    `${workspace.name} in ${region}: ${of('models', 'model')}, ${of('data', 'data asset')}, ${of('environments', 'environment')}, ` +
    `${of('components', 'component')}, ${of('codes', 'code snapshot')}, ${of('jobs', 'unfinished job')}, ` +
    `${of('folders', 'folder or file', 'folders and files')} to copy` +
    (foldersShared > 0 ? `, ${foldersShared} on storage that the standby reads where it is` : '')
  );
}
