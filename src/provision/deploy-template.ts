/** Deploys the standby's template: an incremental ARM deployment named after the run, so that twice is once. */
import { RestError } from '@azure/core-rest-pipeline';
import { azureError, operationError } from '../azure/errors.ts';
import { apiVersions } from '../azure/azure.ts';
import { UnderstudyError, isUnderstudyError } from '../errors/error.ts';
import type { StepResult } from '../run/work/outcome.ts';
import type { StepContext } from '../run/work/step-context.ts';
import { showCount } from '../run/work/tally.ts';
import { showDuration, toSeconds } from '../topology/duration.ts';
import { workspaceId } from '../topology/sides.ts';
import { deploymentOf, foretell, Foretold } from './what-if.ts';

/** ARM's limit for the name of a deployment. */
const nameLimit = 64;

export async function deployTemplate(context: StepContext): Promise<StepResult> {
  const { azure, to, bundle, signal } = context;
  const declared = bundle.templates[to.region];
  if (!declared) {
    await requireWorkspace(context);
    return { state: 'skipped', detail: `no template is declared for ${to.region}; its workspace is there` };
  }
  const { subscriptionId, resourceGroup } = to.workspace;
  const name = `understudy-${context.run.runId}`.slice(0, nameLimit);
  // Of an attempt before this one: it has been taken by now, and a what-if would find nothing any more.
  const foretold = Foretold.safeParse(context.cursor).data ?? (await askBefore(context, declared));
  await context.checkpoint({ unit: 'deployment asked about', done: 0, cursor: foretold });
  const began = context.now().getTime();
  const { provisionDeadline } = context.topology.policies;
  const deadline = AbortSignal.timeout(toSeconds(provisionDeadline) * 1000);
  const fenced = new AbortController();
  const stop = AbortSignal.any([signal, deadline, fenced.signal]);
  let refused: string | undefined;
  const tried = `deploying ${declared.source} as "${name}" into resource group "${resourceGroup}"`;
  try {
    await ensureResourceGroup(context, stop);
    const poller = azure.deployments(subscriptionId).deployments.createOrUpdate(
      resourceGroup,
      name,
      { properties: deploymentOf(declared) },
      {
        abortSignal: stop,
        updateIntervalInMs: 1000,
        onResponse: ({ status, bodyAsText }) => {
          if (status >= 400) refused = bodyAsText ?? undefined;
        },
      },
    );
    poller.onProgress(({ status }) => {
      context
        .checkpoint({ unit: `deployment ${status}`, done: 0, cursor: foretold })
        .catch((error: unknown) => {
          // A control store that is silent for a moment is told at the end; a lease that is lost ends the waiting now.
          if (isUnderstudyError(error, 'FencedError')) fenced.abort(error);
        });
    });
    await poller.pollUntilDone({ abortSignal: stop });
  } catch (error) {
    if (fenced.signal.aborted) throw fenced.signal.reason;
    if (deadline.aborted && !signal.aborted) {
      throw new UnderstudyError('PreconditionError', `${tried}: not done within ${provisionDeadline}`, {
        next: `Look at the deployment in Azure; when it is done: "understudy retry ${context.run.runId}".`,
        cause: error,
      });
    }
    tellAll(error, refused);
    throw (await failedDeployment(context, name, tried, error)) ?? refusal(tried, error, signal.aborted);
  }
  await requireWorkspace(context);
  const done = `deployed ${declared.source} in ${showDuration(context.now().getTime() - began)}`;
  return { state: 'completed', ...told(done, declared, foretold) };
}

/** Made where there is none; one that is there keeps its place and its tags, which a PUT would take away. */
async function ensureResourceGroup({ azure, to }: StepContext, abortSignal: AbortSignal): Promise<void> {
  const { subscriptionId, resourceGroup } = to.workspace;
  const id = `/subscriptions/${subscriptionId}/resourceGroups/${resourceGroup}`;
  if (await azure.arm.find(id, apiVersions.resourceGroups, { signal: abortSignal })) return;
  await azure
    .resources(subscriptionId)
    .resourceGroups.createOrUpdate(resourceGroup, { location: to.region }, { abortSignal });
}

/** Nothing is kept from being deployed by it: a standby without an identity is better than no standby. */
function askBefore(context: StepContext, declared: StepContext['bundle']['templates'][string]) {
  const { azure, topology, to, signal } = context;
  return foretell({ azure, topology, workspace: to.workspace, declared, signal });
}

/** What the deployment has taken from what stood: said, never taken silently. */
function told(
  done: string,
  { source }: { source: string },
  foretold: Foretold,
): Pick<StepResult, 'detail' | 'lost'> {
  if ('unknown' in foretold)
    return { detail: `${done}; what it took from what stood is not known: ${foretold.unknown}` };
  const { takes } = foretold;
  if (takes.length === 0) return { detail: done };
  return {
    detail: `${done}; it took ${showCount(takes.length, 'thing')} from what stood there`,
    lost: takes.map((each) => `${source} took away what it does not declare: ${each}`),
  };
}

/** What is wrong stands in the details of a refusal, of which the client's error keeps the message alone. */
function tellAll(error: unknown, refused: string | undefined): void {
  if (error instanceof RestError && error.response && refused !== undefined)
    error.response.bodyAsText ??= refused;
}

/** Azure takes no second deployment of a name while the first, of an attempt that was cut short, is under way. */
function refusal(tried: string, error: unknown, aborted: boolean): Error {
  const known = azureError(tried, error, aborted);
  if (!isUnderstudyError(known) || known.details.azure?.code !== 'DeploymentActive') return known;
  return new UnderstudyError('NotYetError', known.message, { ...known.details, cause: known });
}

/** What failed within the deployment, and why: the client's poller says only that it did. */
async function failedDeployment(
  { azure, to, signal }: StepContext,
  name: string,
  tried: string,
  cause: unknown,
): Promise<Error | undefined> {
  if (signal.aborted || (cause instanceof RestError && cause.statusCode !== undefined)) return undefined;
  const { subscriptionId, resourceGroup } = to.workspace;
  const id = `/subscriptions/${subscriptionId}/resourceGroups/${resourceGroup}/providers/Microsoft.Resources/deployments/${name}`;
  const deployment = await azure.arm.find(id, apiVersions.deployments, { signal });
  return deployment?.properties.provisioningState === 'Failed'
    ? operationError(tried, 'failed', deployment, cause)
    : undefined;
}

async function requireWorkspace({ azure, to, signal }: StepContext): Promise<void> {
  const workspace = await azure.arm.find(workspaceId(to.workspace), apiVersions.machineLearning, { signal });
  if (workspace) return;
  throw new UnderstudyError(
    'PreconditionError',
    `workspace "${to.workspace.name}" is not in resource group "${to.workspace.resourceGroup}" (${to.region})`,
    { next: `Check that regions.${to.region}.template builds the workspace that the topology names.` },
  );
}
