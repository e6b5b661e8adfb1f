/** Where the outputs of jobs go. */

import type { Resource } from '../../contract/index.ts';
import { objectOf, textOf } from '../bodies/fields.ts';

/**
 * The address of an output, with what Azure fills in: its default place, and the names in `${{name}}` and
 * `${{output_name}}`.
 */
export function jobOutputUri({ name, properties }: Resource, output: string): string {
  const declared = objectOf(objectOf(properties.outputs)[output]);
  const given = textOf(declared.uri) ?? defaultUri(name, output);
  // Clients look for blobs whose names begin so: a file is at its address, not below it.
  const uri = declared.jobOutputType === 'uri_file' ? given.replace(/\/+$/, '') : given;
  const store = (textOf(objectOf(properties.settings).default_datastore) ?? '').split(/[/:]/).at(-1);
  return uri
    .replaceAll(/\$\{\{\s*name\s*\}\}/g, name)
    .replaceAll(/\$\{\{\s*output_name\s*\}\}/g, output)
    .replaceAll(/\$\{\{\s*default_datastore\s*\}\}/g, store === '' ? 'workspaceblobstore' : (store ?? ''));
}

/** Where an output goes that does not say where. */
function defaultUri(job: string, output: string): string {
  return output === 'default'
    ? `azureml://datastores/workspaceartifactstore/ExperimentRun/dcid.${job}`
    : `azureml://datastores/workspaceblobstore/paths/azureml/${job}/${output}/`;
}

/** `azureml://datastores/…` with the workspace written out, as the service answers it. */
export function longUri(workspaceId: string, uri: string): string {
  const [, subscription, group, workspace] =
    /^\/subscriptions\/([^/]+)\/resourceGroups\/([^/]+)\/.*\/workspaces\/([^/]+)$/i.exec(workspaceId) ?? [];
  return uri.replace(
    /^azureml:\/\/datastores\//,
    `azureml://subscriptions/${subscription}/resourcegroups/${group}/workspaces/${workspace}/datastores/`,
  );
}
