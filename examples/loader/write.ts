/** One function a kind: the file's content becomes a request, and the request is made if the workspace wants it. */
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { type TokenCredential } from '@azure/identity';
import { parse } from 'yaml';
import { type Arm } from './arm.ts';
import { type CommandComponent, toComponentSpec } from './assets/component.ts';
import {
  type Data,
  type Environment,
  type Model,
  toData,
  toEnvironment,
  toModel,
} from './assets/registered.ts';
import { convertJob } from './convert-job.ts';
import { createImmutable, createOrUpdate } from './create.ts';
import { readDocument } from './documents.ts';
import { includes, isObject, type Json, type JsonObject } from './json.ts';
import { LoadError } from './load-error.ts';
import { type LocalPath } from './local-path.ts';
import { type Compute, keepWhatIsThere, toCompute } from './resources/compute.ts';
import { type Connection, toConnection } from './resources/connection.ts';
import { type BlobDatastore, toDatastore } from './resources/datastore.ts';
import { type Deployment, type Endpoint, toDeployment, toEndpoint } from './resources/endpoint.ts';
import { type Schedule, toSchedule } from './resources/schedule.ts';
import { childId, longUri, ML_API, versionId } from './scope.ts';
import { simulatedProperties, type Simulation } from './simulation.ts';
import { type Entry } from './summary.ts';
import { Uploads } from './uploads.ts';
import { fillIn, wantsVariable } from './variables.ts';
import { storageKey, valueAt, type Workspace } from './workspace.ts';
import { type Job, parseJob, type Parsed } from './workspace-files.ts';
import { type WorkspaceReferences } from './workspace-references.ts';

export interface Context {
  arm: Arm;
  workspace: Workspace;
  references: WorkspaceReferences;
  credential: TokenCredential;
  localPath: LocalPath;
  record: (entry: Entry) => void;
}

export async function datastore(context: Context, { content }: Parsed<BlobDatastore>): Promise<void> {
  const { arm, workspace, credential, record } = context;
  const { storage } = workspace;
  const wanted = toDatastore(content);
  const body = fillIn(wanted, {
    WORKSPACE_STORAGE_ACCOUNT: storage.name,
    ...(wantsVariable(wanted, 'WORKSPACE_STORAGE_KEY')
      ? { WORKSPACE_STORAGE_KEY: await storageKey(arm, storage) }
      : {}),
  });
  // A datastore only points at a container: in the workspace's own account the container is made here.
  if (valueAt(body, 'properties.accountName') === storage.name) {
    const key = valueAt(body, 'properties.credentials.secrets.key');
    const container = new Uploads(
      {
        endpoint: storage.blobEndpoint,
        account: storage.name,
        container: content.container_name,
        key: typeof key === 'string' ? key : undefined,
      },
      credential,
    );
    await container.createContainer();
  }
  const id = childId(workspace.scope, 'datastores', content.name);
  const outcome = await createOrUpdate(arm, id, body, async () => {
    const secrets = valueAt(body, 'properties.credentials.secrets');
    return secrets === undefined || includes(await arm.post(id, 'listSecrets', ML_API), secrets);
  });
  record({ kind: 'datastore', name: content.name, id, outcome });
}

export async function connection(context: Context, { content }: Parsed<Connection>): Promise<void> {
  const id = childId(context.workspace.scope, 'connections', content.name);
  const body = toConnection(content);
  const outcome = await createOrUpdate(context.arm, id, body, async () => {
    const secrets = await context.arm.post(id, 'listsecrets', ML_API);
    return includes(
      valueAt(secrets, 'properties.credentials'),
      valueAt(body, 'properties.credentials') ?? null,
    );
  });
  context.record({ kind: 'connection', name: content.name, id, outcome });
}

export async function compute(context: Context, { content }: Parsed<Compute>): Promise<void> {
  const id = childId(context.workspace.scope, 'computes', content.name);
  const existing = await context.arm.get(id, ML_API);
  const wanted = toCompute(content, context.workspace.location);
  const body = existing === undefined ? wanted : keepWhatIsThere(wanted, existing);
  const outcome = await createOrUpdate(context.arm, id, body);
  context.record({ kind: 'compute', name: content.name, id, outcome });
}

export async function environment(
  context: Context,
  { document, content }: Parsed<Environment>,
): Promise<void> {
  const conda =
    typeof content.conda_file === 'string'
      ? await readFile(context.localPath(content.conda_file, document.path), 'utf8')
      : content.conda_file && JSON.stringify(content.conda_file);
  const build = content.build && (await contextUrl(context, content.build.path, document.path));
  await version(context, 'environments', content, toEnvironment(content, conda, build));
}

/** A build context is named by its blob's address, not by a datastore: so Azure's client registers it. */
async function contextUrl({ references, workspace }: Context, path: string, from: string): Promise<string> {
  const uploaded = await references.upload(path, from);
  if (uploaded.isFile) throw new LoadError(`build.path: "${path}" is a file: expected a folder`);
  return `${workspace.uploads.url}/${uploaded.path}/`;
}

export async function data(context: Context, { document, content }: Parsed<Data>): Promise<void> {
  const uri = await context.references.inputUri(content.type, content.path, document.path);
  const dataUri = longUri(context.workspace.scope, uri).replace(/\/$/u, '');
  const table =
    content.type === 'mltable'
      ? await mltableUris(context.localPath(content.path, document.path))
      : undefined;
  await version(context, 'data', content, toData(content, dataUri, table));
}

/** The uris that an MLTable file names, which its registration repeats. */
async function mltableUris(folder: string): Promise<Json> {
  const file = join(folder, 'MLTable');
  const text = await readFile(file, 'utf8').catch(() => {
    throw new LoadError(`an mltable has a file named "MLTable" in its folder: there is no "${file}"`);
  });
  const table = parse(text) as Json;
  const paths = isObject(table) && Array.isArray(table.paths) ? table.paths : [];
  return paths.filter(isObject).flatMap((path) => Object.values(path));
}

export async function model(context: Context, { document, content }: Parsed<Model>): Promise<void> {
  const local = context.localPath(content.path, document.path);
  const folder = (await stat(local).catch(() => undefined))?.isDirectory() === true;
  if (content.type === 'mlflow_model' && folder) await requireFile(join(local, 'MLmodel'));
  const uri = await context.references.inputUri(content.type, content.path, document.path);
  const modelUri = longUri(context.workspace.scope, uri).replace(/\/$/u, '');
  await version(context, 'models', content, toModel(content, modelUri));
}

async function requireFile(file: string): Promise<void> {
  const found = await stat(file).catch(() => undefined);
  if (found === undefined)
    throw new LoadError(`an mlflow_model has a file named "MLmodel" in its folder: there is no "${file}"`);
}

export async function component(
  context: Context,
  { document, content }: Parsed<CommandComponent>,
): Promise<void> {
  const number = content.version ?? '1';
  const spec = await toComponentSpec({ ...content, version: number }, document.path, context.references);
  await version(
    context,
    'components',
    { ...content, version: number },
    {
      properties: {
        ...(content.description === undefined ? {} : { description: content.description }),
        componentSpec: spec,
        tags: content.tags ?? {},
        properties: {},
        isAnonymous: false,
        isArchived: false,
      },
    },
  );
}

/** Registers one version of an asset. */
async function version(
  context: Context,
  kind: 'environments' | 'data' | 'models' | 'components',
  asset: { name: string; version: string },
  body: JsonObject,
): Promise<void> {
  const id = versionId(context.workspace.scope, kind, asset.name, asset.version);
  const singular = kind.replace(/s$/u, '');
  const outcome = await createImmutable(context.arm, id, `${singular} ${asset.name}:${asset.version}`, body);
  context.record({ kind: singular, name: asset.name, version: asset.version, id, outcome });
}

export async function job(
  context: Context,
  { document, content }: Parsed<Job>,
  name: string,
  simulation: Simulation,
): Promise<void> {
  const properties = await convertJob(content, document.path, context.references);
  const own = isObject(properties.properties) ? properties.properties : {};
  const body = {
    properties: { ...properties, properties: { ...own, ...simulatedProperties(simulation, name) } },
  };
  const id = childId(context.workspace.scope, 'jobs', name);
  const outcome = await createImmutable(context.arm, id, `job ${name}`, body);
  context.record({ kind: `${content.type} job`, name, id, outcome });
}

export async function schedule(context: Context, { document, content }: Parsed<Schedule>): Promise<void> {
  const path = context.localPath(content.create_job, document.path);
  const created = await readDocument(path, content.create_job);
  if (created === undefined) throw new LoadError(`create_job: "${content.create_job}" is no job's YAML`);
  const definition = await convertJob(parseJob(created), path, context.references);
  const id = childId(context.workspace.scope, 'schedules', content.name);
  const outcome = await createOrUpdate(context.arm, id, toSchedule(content, definition));
  context.record({ kind: 'schedule', name: content.name, id, outcome });
}

/** The endpoint without its traffic, which can name only deployments that are there. */
export async function endpoint(context: Context, { content }: Parsed<Endpoint>): Promise<void> {
  const { arm, workspace, record } = context;
  const id = childId(workspace.scope, 'onlineEndpoints', content.name);
  const existing = await arm.get(id, ML_API);
  const traffic = valueAt(existing ?? {}, 'properties.traffic');
  const kept = isObject(traffic) ? (traffic as Record<string, number>) : {};
  const outcome = await createOrUpdate(arm, id, toEndpoint(content, workspace.location, kept));
  record({ kind: 'endpoint', name: content.name, id, outcome });
}

export async function deployment(context: Context, { document, content }: Parsed<Deployment>): Promise<void> {
  const { arm, workspace, references, record } = context;
  const id = `${childId(workspace.scope, 'onlineEndpoints', content.endpoint_name)}/deployments/${content.name}`;
  const body = await toDeployment(content, workspace.location, document.path, references);
  record({
    kind: 'deployment',
    name: `${content.endpoint_name}/${content.name}`,
    id,
    outcome: await createOrUpdate(arm, id, body),
  });
}

export async function traffic(context: Context, { content }: Parsed<Endpoint>): Promise<void> {
  const id = childId(context.workspace.scope, 'onlineEndpoints', content.name);
  const outcome = await createOrUpdate(
    context.arm,
    id,
    toEndpoint(content, context.workspace.location, content.traffic),
  );
  context.record({ kind: 'traffic', name: content.name, id: `${id}#traffic`, outcome });
}
