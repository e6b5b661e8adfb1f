/**
 * References between the entities of a workspace. A reference that names this workspace must exist; one that names a
 * registry, a URL or anything else that the workspace cannot check is left alone.
 */

import type { Call, Cloud, Json, Stored } from '../../contract/index.ts';
import { eachText, textOf, workspaceIdOf, WORKSPACES } from './fields.ts';
import { notFound, userError } from './refusals.ts';

export type AssetKind = 'models' | 'data' | 'environments' | 'components' | 'codes';

/** The words of messages. */
const SINGULAR: Record<AssetKind, string> = {
  models: 'model',
  data: 'data asset',
  environments: 'environment',
  components: 'component',
  codes: 'code asset',
};

/** Every workspace has Azure's curated environments without their being listed in it. */
const CURATED_ENVIRONMENT = /^(AzureML-|CliV2AnonymousEnvironment)/;

/**
 * What is filled in when a job runs (an input of its pipeline, the default datastore): nothing is known of it before.
 */
const FILLED_IN = /\$\{\{.*\}\}/;

/**
 * Computes that the service finds when the job runs: `serverless`, which azure-ai-ml makes an ARM id of where it is a
 * pipeline's default, and virtual clusters.
 */
const SERVERLESS = /^(.*\/computes\/)?serverless$|\/virtualclusters\//i;

interface AssetReference {
  workspaceId: string;
  name: string;
  /** Undefined: whichever there is (a bare name or a label). */
  version: string | undefined;
}

/**
 * Checks a reference to an asset of one kind from within a workspace.
 *
 * Errors: 404 UserError if this workspace has no such asset; 400 UserError if the reference names another workspace.
 */
export function checkAsset(
  cloud: Cloud,
  workspaceId: string,
  kind: AssetKind,
  reference: Json | undefined,
  field: string,
): void {
  const text = textOf(reference);
  const parsed = text === undefined ? undefined : parseAsset(cloud, workspaceId, kind, text);
  if (!parsed) return;
  if (parsed.workspaceId.toLowerCase() !== workspaceId.toLowerCase())
    throw userError(
      `${field}: the ${SINGULAR[kind]} '${text}' is of another workspace than '${workspaceId}'; a reference across workspaces needs a registry.`,
      field,
    );
  if (kind === 'environments' && CURATED_ENVIRONMENT.test(parsed.name) && !findAsset(cloud, kind, parsed)) return;
  if (!findAsset(cloud, kind, parsed))
    throw notFound(`${field}: could not find ${SINGULAR[kind]} '${text}' in workspace '${workspaceId}'.`);
}

/** The stored version that a reference names in this workspace: for a bare name, the version made last. */
export function resolveAsset(
  cloud: Cloud,
  workspaceId: string,
  kind: AssetKind,
  reference: string,
): Stored | undefined {
  const parsed = parseAsset(cloud, workspaceId, kind, reference);
  return parsed && findAsset(cloud, kind, parsed);
}

function findAsset(cloud: Cloud, kind: AssetKind, { workspaceId, name, version }: AssetReference): Stored | undefined {
  const container = `${workspaceId}/${kind}/${name}`;
  if (version !== undefined) return cloud.store.get(`${container}/versions/${version}`);
  return cloud.store.children(container, `${WORKSPACES}/${kind}/versions`).at(-1);
}

function parseAsset(cloud: Cloud, workspaceId: string, kind: AssetKind, reference: string): AssetReference | undefined {
  const text = reference.replace(/^azureml:(?=\/(?!\/))/i, '');
  const named = new RegExp(`^azureml://locations/[^/]+/workspaces/([^/]+)/${kind}/([^/]+)/versions/([^/]+)$`, 'i').exec(
    text,
  );
  if (named)
    return {
      workspaceId: workspaceIdByGuid(cloud, workspaceId, named[1]),
      name: named[2] ?? '',
      version: named[3],
    };
  const arm = new RegExp(
    `^(/subscriptions/.+/workspaces/[^/]+)/${kind}/([^/]+)(?:/(?:versions|labels)/([^/]+))?$`,
    'i',
  ).exec(text);
  if (arm)
    return {
      workspaceId: arm[1] ?? '',
      name: arm[2] ?? '',
      version: /\/labels\//i.test(text) ? undefined : arm[3],
    };
  const short = /^(?:azureml:)?([\w.-]+)(?::([\w.-]+)|@[\w.-]+)?$/.exec(text);
  return short ? { workspaceId, name: short[1] ?? '', version: short[2] } : undefined;
}

/** `azureml://locations/…` names a workspace by its guid: this one's id if it is this one's. */
function workspaceIdByGuid(cloud: Cloud, workspaceId: string, guid: string | undefined): string {
  const own = textOf(cloud.store.get(workspaceId)?.resource.properties.workspaceId);
  return own === guid ? workspaceId : `(workspace ${guid})`;
}

/**
 * The compute that a reference names, or undefined for serverless compute (no reference), for targets that are no
 * computes of a workspace (virtual clusters), and for what an input of the pipeline will say.
 *
 * Errors: 400 UserError 'Unknown compute target' as Azure says it.
 */
export function resolveCompute(cloud: Cloud, workspaceId: string, reference: Json | undefined): Stored | undefined {
  const text = textOf(reference)?.replace(/^azureml:/i, '');
  if (text === undefined || SERVERLESS.test(text)) return undefined;
  if (FILLED_IN.test(text)) return undefined;
  const id = text.startsWith('/') ? text : `${workspaceId}/computes/${text}`;
  const compute = workspaceIdOf(id).toLowerCase() === workspaceId.toLowerCase() ? cloud.store.get(id) : undefined;
  if (!compute) throw userError(`Unknown compute target '${text}'.`, 'computeId');
  return compute;
}

/**
 * Checks that what an ARM id names is there. Of other subscriptions than the call's own, and of texts that are no ids,
 * nothing is known.
 *
 * Errors: 400 UserError naming the field and the id.
 */
export function checkResource(call: Call, id: Json | undefined, field: string): void {
  const text = textOf(id) ?? '';
  const own = `/subscriptions/${call.id.subscriptionId}/`.toLowerCase();
  if (text.toLowerCase().startsWith(own) && !call.cloud.store.get(text))
    throw userError(`${field}: the resource '${text}' was not found.`, field);
}

/** Checks that the datastore of an `azureml://…/datastores/{name}/paths/…` address of this workspace exists. */
export function checkPath(cloud: Cloud, workspaceId: string, uri: Json | undefined, field: string): void {
  const text = textOf(uri) ?? '';
  const match =
    /^azureml:\/\/(?:subscriptions\/([^/]+)\/resource[gG]roups\/([^/]+)\/workspaces\/([^/]+)\/)?datastores\/([^/]+)\//.exec(
      text,
    );
  if (!match) return;
  const [, subscription, group, workspace, datastore = ''] = match;
  if (FILLED_IN.test(datastore)) return;
  const owner = subscription
    ? `/subscriptions/${subscription}/resourceGroups/${group}/providers/${WORKSPACES.replace('/workspaces', '')}/workspaces/${workspace}`
    : workspaceId;
  // An address may name another workspace's datastore: whether that can be read is settled when it is read.
  if (owner.toLowerCase() !== workspaceId.toLowerCase()) return;
  if (!cloud.store.get(`${workspaceId}/datastores/${datastore}`))
    throw userError(`${field}: could not find datastore '${datastore}' in workspace '${workspaceId}'.`, field);
}

/** Checks an input's address: a path on a datastore, or a data asset or model by id. */
export function checkInputUri(
  cloud: Cloud,
  workspaceId: string,
  uri: Json | undefined,
  inputType: Json | undefined,
  field: string,
): void {
  const text = textOf(uri);
  if (text === undefined) return;
  checkPath(cloud, workspaceId, text, field);
  if (!/^(azureml:(?!\/\/)|azureml:\/\/locations\/|\/subscriptions\/)/i.test(text)) return;
  checkAsset(
    cloud,
    workspaceId,
    textOf(inputType)?.endsWith('_model') || /\/models\//i.test(text) ? 'models' : 'data',
    text,
    field,
  );
}

/**
 * Checks every id that stands anywhere inside `body` under the field names that Azure's entities use for references.
 */
export function checkReferencesInside(cloud: Cloud, workspaceId: string, body: Json | undefined, field: string): void {
  const kinds: Record<string, AssetKind> = {
    codeId: 'codes',
    environmentId: 'environments',
    componentId: 'components',
  };
  eachText(body, (key, text) => {
    const kind = kinds[key];
    if (kind) checkAsset(cloud, workspaceId, kind, text, `${field}.${key}`);
    else if (key === 'computeId') resolveCompute(cloud, workspaceId, text);
    else if (key === 'uri') checkPath(cloud, workspaceId, text, `${field}.uri`);
  });
}
