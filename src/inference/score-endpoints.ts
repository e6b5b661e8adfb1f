/** Sends a scoring request to each endpoint of the standby itself, with its own key, before anyone depends on it. */
import { apiVersions, type ArmResource } from '../azure/azure.ts';
import { showAcceptance } from '../blobs/lost-blobs.ts';
import { mapBounded } from '../run/work/bounded.ts';
import { newTally, skip, toCounts } from '../run/work/tally.ts';
import { isLoss, isUnderstudyError, messageOf, UnderstudyError } from '../errors/error.ts';
import type { StepResult } from '../run/work/outcome.ts';
import type { StepContext } from '../run/work/step-context.ts';
import { workspaceId } from '../topology/sides.ts';
import { openPointOfRun } from '../standby/standby.ts';
import { probeUntilPassing } from '../traffic/probe.ts';
import { lostDeployments, takeTraffic, type SetAside } from './lost-deployments.ts';

/**
 * Scores every endpoint. One that has no traffic is skipped.
 * Errors: PreconditionError (wrong answer), NotYetError (no address yet), unless that loss is accepted;
 * AzureUnavailable.
 */
export async function scoreEndpoints(context: StepContext): Promise<StepResult> {
  const names = await namesOf(context);
  if (names.length === 0) return { state: 'skipped', detail: `${context.from.region} had no endpoints` };
  const setAside = await lostDeployments(context);
  const tally = newTally();
  const answers: string[] = [];
  const skipped: string[] = [];
  const lost: string[] = [];
  // Concurrently, so that each has the policy's full time.
  const all = await mapBounded(names, names.length, async (name) => ({
    name,
    scored: await scoreUnlessLost(context, name, setAside.get(name.toLowerCase())),
  }));
  for (const { name, scored } of all) {
    if ('lost' in scored) {
      skip(tally, scored.lost);
      lost.push(`endpoint ${name}: ${scored.lost}`);
    } else if (scored.answer === undefined) {
      skip(tally, noTraffic);
      skipped.push(name);
    } else {
      tally.done += 1;
      answers.push(scored.answer);
    }
  }
  const left = skipped.length > 0 ? [`${skipped.join(', ')}: no traffic, not asked`] : [];
  return {
    state: tally.done + lost.length === 0 ? 'skipped' : 'completed',
    detail: [...answers, ...left, ...lost].join('; '),
    counts: [toCounts(tally, 'scoring requests', names.length)],
    ...(lost.length > 0 ? { lost } : {}),
  };
}

/** As the plan has them, or the recovery point that the run has sealed. */
async function namesOf(context: StepContext): Promise<string[]> {
  const planned = context.step.input.endpoints as string[] | undefined;
  return planned ?? (await openPointOfRun(context)).sealed.summary.endpoints.map(({ name }) => name);
}

const noTraffic = 'the endpoint has no deployment that takes traffic';

/** `lost`: someone has accepted that. */
type Scored = { answer: string | undefined } | { lost: string };

async function scoreUnlessLost(context: StepContext, name: string, setAside: SetAside | undefined): Promise<Scored> {
  const { acceptedLoss } = context;
  if (setAside) await takeTraffic(context, setAside);
  try {
    const answer = await scoreOne(context, name);
    return answer === undefined && setAside ? { lost: setAside.why } : { answer };
  } catch (error) {
    if (!acceptedLoss || !isLoss(error) || isUnderstudyError(error, 'AzureUnavailable')) throw error;
    return { lost: `${messageOf(error)}${showAcceptance(acceptedLoss)}` };
  }
}

/** Undefined if no deployment serves. */
async function scoreOne(context: StepContext, name: string): Promise<string | undefined> {
  const { azure, to, signal, topology } = context;
  const path = `${workspaceId(to.workspace)}/onlineEndpoints/${name}`;
  const endpoint = await azure.arm.find(path, apiVersions.machineLearning, { signal });
  if (!endpoint || !takesTraffic(endpoint)) return undefined;
  const url = endpoint.properties.scoringUri;
  if (typeof url !== 'string') {
    throw new UnderstudyError('NotYetError', `endpoint "${name}" in ${to.region} has no scoring address yet`);
  }
  const key = await keyOf(context, path, endpoint.properties.authMode);
  const answer = await probeUntilPassing(
    context,
    {
      url,
      method: 'POST',
      body: JSON.stringify(topology.scoring[name] ?? defaultRequest),
      headers: { 'content-type': 'application/json', authorization: `Bearer ${key}` },
      expect: 200,
    },
    `endpoint ${name}`,
  );
  return `${name}: ${answer.status} in ${answer.milliseconds} ms`;
}

function takesTraffic({ properties }: ArmResource): boolean {
  return Object.values(properties.traffic ?? {}).some((share) => typeof share === 'number' && share > 0);
}

/** A request that an MLflow model accepts. A model of another shape declares its own (`scoring` in the topology). */
const defaultRequest = { input_data: [] };

async function keyOf({ azure, signal }: StepContext, path: string, authMode: unknown): Promise<string> {
  const action = authMode === 'Key' ? 'listKeys' : 'token';
  const answer = (await azure.arm.post(`${path}/${action}`, apiVersions.machineLearning, undefined, {
    signal,
  })) as {
    primaryKey?: string;
    accessToken?: string;
  } | null;
  const key = answer?.primaryKey ?? answer?.accessToken;
  if (key === undefined) throw new UnderstudyError('AzureError', `${path}/${action} returned no key`);
  return key;
}
