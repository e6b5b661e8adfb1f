/**
 * The action `configureEndpoints`: creates endpoints and deployments that the standby lacks from the recovery point,
 * and updates those that serve something else. Every endpoint gets the active one's keys (from escrow, so that clients
 * do not have to change theirs) and traffic. If Azure refuses one, it is counted as failed, and the others do not wait.
 */
import { showFindings, writeFindings, type Finding } from '../run/work/findings.ts';
import { lostAssets, whyLost, type LostAssets } from '../standby/lost-assets.ts';
import { noneToRestore, requireBrought } from '../standby/require-brought.ts';
import { openStandby, type Standby } from '../standby/standby.ts';
import { addTally, fail, newTally, skip, sum, toCounts } from '../run/work/tally.ts';
import { showCount } from '../topology/figures.ts';
import { apiVersions, type ArmResource } from '../azure/azure.ts';
import { findSettled } from '../azure/settled.ts';
import { mapBounded } from '../run/work/bounded.ts';
import { isUnderstudyError, messageOf } from '../errors/error.ts';
import type { StepResult } from '../run/work/outcome.ts';
import type { Progress, StepContext } from '../run/work/step-context.ts';
import { createdBody, updatedBody } from './endpoint-body.ts';
import { escrowedKeys, giveKeys, type Keys } from './endpoint-keys.ts';
import { setTraffic } from './endpoint-traffic.ts';

interface Work extends Done {
  context: StepContext;
  standby: Standby;
  /** Incomplete resources: no deployment may serve one. */
  lostOnes: LostAssets;
  /** Progress over all endpoints. */
  progress: Progress;
}

/** The result for an endpoint and its deployments. */
interface Done {
  /** How many of them were created or updated now. */
  changed: number;
  tally: ReturnType<typeof newTally>;
  findings: Finding[];
  lost: string[];
}

/**
 * Azure needs minutes to create an endpoint or a deployment. The deployments of one endpoint are created one after
 * another, because each locks it.
 */
const endpointsSideBySide = 8;

/** Errors: AzureUnavailable, RecoveryPointError, PreconditionError (no standby workspace). */
export async function configureEndpoints(context: StepContext): Promise<StepResult> {
  const standby = await openStandby(context);
  const endpoints = await Array.fromAsync(standby.read('endpoints'));
  const deployments = await Array.fromAsync(standby.read('deployments'));
  if (endpoints.length === 0) return noneToRestore(context, standby, 'endpoints');
  const lostOnes = await lostAssets(context, standby.point.sealed);
  const progress = { unit: 'endpoints', done: 0, total: endpoints.length };
  const each = await mapBounded(endpoints, endpointsSideBySide, async (endpoint) => {
    const work: Work = { context, standby, lostOnes, progress, ...nothingYet() };
    await context.checkpoint({ ...progress });
    const own = deployments.filter((deployment) => parentName(deployment) === endpoint.name.toLowerCase());
    await configure(work, endpoint, own);
    progress.done += 1;
    return work;
  });
  const { tally, changed, findings, lost } = together(each);
  requireBrought(context, standby, findings);
  const failed = sum(tally.failed);
  return {
    state: 'completed',
    detail: `${showCount(tally.done, 'endpoint or deployment', 'endpoints and deployments')} in ${context.to.region}, ${changed} of them created or updated${failed > 0 ? `; ${failed} failed` : ''}`,
    counts: [toCounts(tally, 'endpoints and deployments', endpoints.length + deployments.length)],
    evidence: await writeFindings(context, 'list', findings),
    ...(findings.length + lost.length > 0 ? { lost: [...showFindings(findings), ...lost] } : {}),
  };
}

function nothingYet(): Done {
  return { changed: 0, tally: newTally(), findings: [], lost: [] };
}

/** Results in the order of the endpoints, whichever was done first. */
function together(each: readonly Done[]): Done {
  const all = nothingYet();
  for (const { changed, tally, findings, lost } of each) {
    all.changed += changed;
    addTally(all.tally, tally);
    all.findings.push(...findings);
    all.lost.push(...lost);
  }
  return all;
}

/** Returns `endpoint` of the id `…/onlineEndpoints/{endpoint}/deployments/{name}`. */
export function parentName({ id }: ArmResource): string | undefined {
  return id.split('/').at(-3)?.toLowerCase();
}

async function configure(work: Work, endpoint: ArmResource, deployments: readonly ArmResource[]): Promise<void> {
  const { context, standby, lost } = work;
  const path = `${standby.workspace.id}/onlineEndpoints/${endpoint.name}`;
  const keys = await escrowedKeys(context, standby, endpoint, lost);
  const there = await attempt(work, `endpoint ${endpoint.name}`, () => ensure(work, path, endpoint, keys));
  const serving: string[] = [];
  for (const deployment of deployments) {
    const what = `deployment ${endpoint.name}/${deployment.name}`;
    const why = whyNotWhole(work, deployment);
    const made =
      why !== undefined
        ? leave(work, what, why, true)
        : there
          ? await attempt(work, what, () => ensure(work, `${path}/deployments/${deployment.name}`, deployment))
          : leave(work, what, 'its endpoint could not be created');
    if (made) serving.push(deployment.name);
    await context.checkpoint({ ...work.progress });
  }
  // Keys and traffic of an endpoint that only gets a deployment stay the writer's.
  if (!there || standby.selection?.has(`endpoints/${endpoint.name}`) === false) return;
  const tell = (what: string) => lost.push(`endpoint ${endpoint.name}: ${what}`);
  await unlessRefused(
    async () => keys && giveKeys(context, path, keys),
    (reason) => tell(`clients must take the standby's own keys: ${reason}`),
  );
  await unlessRefused(
    async () => {
      const changed = await setTraffic(context, path, endpoint, serving);
      if (changed !== undefined) tell(changed);
    },
    (reason) => tell(`its traffic could not be set: ${reason}`),
  );
}

function whyNotWhole({ standby, lostOnes }: Work, { name, properties }: ArmResource): string | undefined {
  const { workspace } = standby.point.sealed;
  const why = whyLost(lostOnes, { name: `deployments/${name}`, json: properties, workspace });
  return why === undefined ? undefined : `what it serves is not whole: ${why}`;
}

async function unlessRefused(work: () => Promise<void>, refused: (reason: string) => void): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (!isUnderstudyError(error, 'AzureError')) throw error;
    refused(messageOf(error));
  }
}

/** Returns whether it exists now. */
async function attempt(work: Work, what: string, make: () => Promise<string | undefined>): Promise<boolean> {
  try {
    const reason = await make();
    if (reason !== undefined) return leave(work, what, reason);
  } catch (error) {
    if (!isUnderstudyError(error, 'AzureError')) throw error;
    return leave(work, what, messageOf(error));
  }
  work.tally.done += 1;
  return true;
}

/** `lost`: someone has accepted that. */
function leave({ tally, findings }: Work, what: string, reason: string, lost = false): false {
  (lost ? skip : fail)(tally, reason);
  findings.push({ what, state: 'failed', reason });
  return false;
}

/** Creates it if it is missing, and updates it if it serves something else. Returns why that is impossible. */
async function ensure(work: Work, path: string, source: ArmResource, keys?: Keys): Promise<string | undefined> {
  const { azure, signal } = work.context;
  const found = await findSettled(azure.arm, path, apiVersions.machineLearning, { signal });
  const there = found?.properties.provisioningState === 'Failed' ? undefined : found;
  const wanted = there
    ? updatedBody(source, there, work.standby)
    : createdBody(source, work.standby, keys ? { keys } : {});
  if (wanted === undefined) return undefined;
  if ('reason' in wanted) return wanted.reason;
  await azure.arm.put(path, apiVersions.machineLearning, wanted.body, { signal });
  work.changed += 1;
  return undefined;
}
