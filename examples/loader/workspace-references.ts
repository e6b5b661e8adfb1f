/** References as the workspace resolves them: labels looked up, local content uploaded and registered, ids made whole. */
import { createHash } from 'node:crypto';
import { relative } from 'node:path';
import { type Arm } from './arm.ts';
import { CommandComponent, toComponentSpec } from './assets/component.ts';
import { guidOf, snapshotHash } from './content-hash.ts';
import { createImmutable } from './create.ts';
import { parseContent, readDocument } from './documents.ts';
import { isObject, type JsonObject } from './json.ts';
import { LoadError } from './load-error.ts';
import { type LocalPath } from './local-path.ts';
import { type References, type ResolvedComponent } from './references.ts';
import {
  childId,
  datastoreUri,
  isResolved,
  ML_API,
  parseReference,
  versionId,
  withoutPrefix,
  type AssetKind,
} from './scope.ts';
import { type Entry } from './summary.ts';
import { type Uploaded } from './uploads.ts';
import { valueAt, type Workspace } from './workspace.ts';

/** The version of the fingerprint that Azure's Python client gives a code snapshot. */
const SNAPSHOT_HASH_VERSION = '202208';

export interface ReferenceOptions {
  arm: Arm;
  workspace: Workspace;
  folder: string;
  localPath: LocalPath;
  record: (entry: Entry) => void;
  uploaded: (uploaded: Uploaded) => void;
}

export class WorkspaceReferences implements References {
  readonly #options: ReferenceOptions;
  /** Uploads and code versions of this run by local path: many jobs share a code folder. */
  readonly #uploads = new Map<string, Promise<Uploaded>>();
  readonly #codes = new Map<string, Promise<string>>();

  constructor(options: ReferenceOptions) {
    this.#options = options;
  }

  async code(reference: string, from: string): Promise<string> {
    if (reference.startsWith('azureml:') || isResolved(reference)) return this.#version('codes', reference);
    const path = this.#options.localPath(reference, from);
    const known = this.#codes.get(path) ?? this.#registerCode(path);
    this.#codes.set(path, known);
    return known;
  }

  environment(reference: string): Promise<string> {
    return this.#version('environments', reference);
  }

  model(reference: string): Promise<string> {
    return this.#version('models', reference);
  }

  async component(reference: string, from: string): Promise<ResolvedComponent> {
    if (reference.startsWith('azureml:') || isResolved(reference)) {
      const id = await this.#version('components', reference);
      const found = await this.#options.arm.get(id, ML_API);
      if (found === undefined)
        throw new LoadError(`component "${reference}" is not registered in the workspace`);
      return { id, outputTypes: outputTypesOf(found) };
    }
    const path = this.#options.localPath(reference, from);
    const document = await readDocument(path, relative(this.#options.folder, path));
    if (document === undefined) throw new LoadError(`"${path}" is no command component`);
    const component = parseContent(document, CommandComponent);
    const spec = await toComponentSpec(
      { ...component, name: 'azureml_anonymous', version: undefined },
      path,
      this,
    );
    const outputTypes = Object.fromEntries(
      Object.entries(component.outputs ?? {}).map(([name, output]) => [name, output.type]),
    );
    return { id: await this.anonymousComponent(spec), outputTypes };
  }

  /** Registered under a version made of its content, so that the same step is the same component. */
  async anonymousComponent(spec: JsonObject): Promise<string> {
    const version = guidOf(createHash('sha256').update(JSON.stringify(spec)).digest('hex'));
    const name = 'azureml_anonymous';
    const id = versionId(this.#options.workspace.scope, 'components', name, version);
    const body = {
      properties: {
        componentSpec: { ...spec, version },
        isAnonymous: true,
        isArchived: false,
        properties: {},
        tags: {},
      },
    };
    const outcome = await createImmutable(this.#options.arm, id, `component ${name}:${version}`, body);
    this.#options.record({ kind: 'component', name, version, id, outcome });
    return id;
  }

  compute(reference: string): string {
    return this.#named('computes', reference);
  }

  datastore(reference: string): string {
    return this.#named('datastores', reference);
  }

  async inputUri(type: string, path: string, from: string): Promise<string> {
    if (isResolved(path)) return withoutPrefix(path);
    if (/^[a-z][a-z+.-]*:\/\//iu.test(path) || path.startsWith('runs:/')) return path;
    if (path.startsWith('azureml:')) return this.#version(type.endsWith('_model') ? 'models' : 'data', path);
    return this.#uploadedUri(path, from, type !== 'uri_file');
  }

  /** The long uri of local content, after its upload. Of a folder it ends in a slash. */
  async #uploadedUri(path: string, from: string, folder: boolean): Promise<string> {
    const uploaded = await this.upload(path, from);
    const { scope, datastore } = this.#options.workspace;
    if (folder && uploaded.isFile) throw new LoadError(`${from}: "${path}" is a file: expected a folder`);
    return datastoreUri(scope, datastore, uploaded.path + (folder ? '/' : ''));
  }

  upload(path: string, from: string): Promise<Uploaded> {
    const local = this.#options.localPath(path, from);
    const known = this.#uploads.get(local);
    if (known !== undefined) return known;
    const upload = this.#options.workspace.uploads.upload(local).then((uploaded) => {
      this.#options.uploaded(uploaded);
      return uploaded;
    });
    this.#uploads.set(local, upload);
    return upload;
  }

  async #registerCode(path: string): Promise<string> {
    const { arm, workspace, record } = this.#options;
    const uploaded = await this.upload(path, path);
    if (uploaded.isFile) throw new LoadError(`code "${path}" is a file: expected a folder`);
    const hash = await snapshotHash(path);
    const name = guidOf(hash);
    const id = versionId(workspace.scope, 'codes', name, '1');
    const outcome = await createImmutable(arm, id, `code ${name}:1`, {
      properties: {
        codeUri: `${workspace.uploads.url}/${uploaded.path}`,
        isAnonymous: true,
        isArchived: false,
        properties: { hash_sha256: hash, hash_version: SNAPSHOT_HASH_VERSION },
        tags: {},
      },
    });
    record({ kind: 'code', name, version: '1', id, outcome });
    return id;
  }

  #named(type: string, reference: string): string {
    if (isResolved(reference)) return withoutPrefix(reference);
    return childId(this.#options.workspace.scope, type, parseReference(reference)?.name ?? reference);
  }

  async #version(kind: AssetKind, reference: string): Promise<string> {
    if (isResolved(reference)) return withoutPrefix(reference);
    const parsed = parseReference(reference);
    const { scope } = this.#options.workspace;
    if (parsed?.version !== undefined) return versionId(scope, kind, parsed.name, parsed.version);
    if (parsed?.label === 'latest')
      return versionId(scope, kind, parsed.name, await this.#latest(kind, parsed.name));
    throw new LoadError(`"${reference}": expected azureml:NAME:VERSION or azureml:NAME@latest`);
  }

  async #latest(kind: AssetKind, name: string): Promise<string> {
    const path = `${childId(this.#options.workspace.scope, kind, name)}/versions`;
    const versions = await this.#options.arm.list(path, ML_API, { $orderBy: 'createdtime desc' }, 1);
    const newest = versions[0]?.name;
    if (typeof newest !== 'string')
      throw new LoadError(`azureml:${name}@latest: the workspace has no version of "${name}" in its ${kind}`);
    return newest;
  }
}

function outputTypesOf(component: JsonObject): Record<string, string> {
  const outputs = valueAt(component, 'properties.componentSpec.outputs');
  const types: Record<string, string> = {};
  for (const [name, output] of Object.entries(isObject(outputs) ? outputs : {})) {
    if (isObject(output) && typeof output.type === 'string') types[name] = output.type;
  }
  return types;
}
