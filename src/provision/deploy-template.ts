/**
 * Deploys the standby's template as an incremental ARM deployment. It is named after the run, so deploying twice has no
 * further effect.
 */
import { RestError } from '@azure/core-rest-pipeline';
import { azureError, operationError } from '../azure/errors.ts';
import { apiVersions } from '../azure/azure.ts';
import { UnderstudyError, isUnderstudyError } from '../errors/error.ts';
import type { StepResult } from '../run/work/outcome.ts';
import type { StepContext } from '../run/work/step-context.ts';
import { showCount } from '../topology/figures.ts';
import { showDuration, toSeconds } from '../topology/duration.ts';
import { workspaceId } from '../topology/sides.ts';
import { deploymentOf, foretell, Foretold } from './what-if.ts';

/** ARM's limit for the name of a deployment. */
const nameLimit = 64;

/** The action `deployTemplate`. */
export async function deployTemplate(context: StepContext): Promise<StepResult> {
  const { azure, to, bundle, signal } = context;
  const declared = bundle.templates[to.region];
  if (!declared) {
    await requireWorkspace(context);
    return { state: 'skipped', detail: `no template is declared for ${to.region}; its workspace is there` };
  }
  const { subscriptionId, resourceGroup } = to.workspace;
  const name = `understudy-${context.run.runId}`.slice(0, nameLimit);
  // A what-if by an earlier attempt: the deployment has since removed these things, so another what-if would not find
  // them.
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
      context.checkpoint({ unit: `deployment ${status}`, done: 0, cursor: foretold }).catch((error: unknown) => {
        // If the control store does not answer for a moment, that is reported at the end. If the lease is lost,
        // waiting ends now.
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

/**
 * Creates the resource group if it does not exist. An existing one keeps its location and tags, which a PUT would
 * remove.
 */
async function ensureResourceGroup({ azure, to }: StepContext, abortSignal: AbortSignal): Promise<void> {
  const { subscriptionId, resourceGroup } = to.workspace;
  const id = `/subscriptions/${subscriptionId}/resourceGroups/${resourceGroup}`;
  if (await azure.arm.find(id, apiVersions.resourceGroups, { signal: abortSignal })) return;
  await azure
    .resources(subscriptionId)
    .resourceGroups.createOrUpdate(resourceGroup, { location: to.region }, { abortSignal });
}

/** Nothing that the what-if finds prevents the deployment: a standby without an identity is better than no standby. */
function askBefore(context: StepContext, declared: StepContext['bundle']['templates'][string]) {
  const { azure, topology, to, signal } = context;
  return foretell({ azure, topology, workspace: to.workspace, declared, signal });
}

/** What the deployment removed from existing resources is always reported. */
function told(done: string, { source }: { source: string }, foretold: Foretold): Pick<StepResult, 'detail' | 'lost'> {
  if ('unknown' in foretold)
    return { detail: `${done}; what it took from what stood is not known: ${foretold.unknown}` };
  const { takes } = foretold;
  if (takes.length === 0) return { detail: done };
  return {
    detail: `${done}; it took ${showCount(takes.length, 'thing')} from what stood there`,
    lost: takes.map((each) => `${source} took away what it does not declare: ${each}`),
  };
}

/** The details of a refusal say what is wrong, but the client's error keeps only its message. */
function tellAll(error: unknown, refused: string | undefined): void {
  if (error instanceof RestError && error.response && refused !== undefined) error.response.bodyAsText ??= refused;
}

/**
 * Azure refuses a second deployment of the same name while the first, from an attempt that was cut short, is in
 * progress.
 */
function refusal(tried: string, error: unknown, aborted: boolean): Error {
  const known = azureError(tried, error, aborted);
  if (!isUnderstudyError(known) || known.details.azure?.code !== 'DeploymentActive') return known;
  return new UnderstudyError('NotYetError', known.message, { ...known.details, cause: known });
}

/** Returns what failed within the deployment, and why: the client's poller reports only that it failed. */
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
