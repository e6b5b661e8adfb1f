import { rewriteAddress } from './address.ts';
import { sameText, type WorkspaceMapping } from './mapping.ts';
import { rewriteArmId, rewriteWorkspacePath } from './resource-path.ts';

/** `azureml://` without a host: the rest is a path of names. */
const azuremlPath = /^azureml:\/\/(?=(?:subscriptions|locations|registries|datastores|jobs)\/)/i;

function rewriteAzuremlPath(path: string, mapping: WorkspaceMapping): string | undefined {
  if (/[\r\n]/.test(path)) return undefined;
  const moved = rewriteWorkspacePath(path, 0, mapping, 'plain');
  if (moved !== undefined) return moved;
  const segments = path.split('/');
  const guid = mapping.workspaceId;
  const isById =
    guid !== undefined &&
    sameText(segments[0] ?? '', 'locations') &&
    sameText(segments[2] ?? '', 'workspaces') &&
    sameText(segments[3] ?? '', guid.from);
  if (!isById) return undefined;
  segments[1] = mapping.to.location;
  segments[3] = guid.to;
  return segments.join('/');
}

/**
 * Rewrites a value that by itself, whatever its key, refers to the source workspace: its GUID, an ARM id (also after
 * `azureml:`), an `azureml://` URI, or a URL. Undefined if the value refers to something else, or only looks similar.
 * `azureml://registries/…`, `azureml://datastores/…` and `azureml://jobs/…` name no workspace, and are unchanged.
 */
export function movedReference(value: string, mapping: WorkspaceMapping): string | undefined {
  const moved = moveReference(value, mapping);
  return moved === value ? undefined : moved;
}

function moveReference(value: string, mapping: WorkspaceMapping): string | undefined {
  if (mapping.workspaceId && sameText(value, mapping.workspaceId.from)) return mapping.workspaceId.to;
  const arm = /^(azureml:)?(\/subscriptions\/[^\r\n]*)$/i.exec(value);
  if (arm) {
    const id = rewriteArmId(arm[2] ?? '', mapping, 'plain');
    return id === undefined ? undefined : (arm[1] ?? '') + id;
  }
  const scheme = azuremlPath.exec(value)?.[0];
  if (scheme === undefined) return rewriteAddress(value, mapping);
  const path = rewriteAzuremlPath(value.slice(scheme.length), mapping);
  return path === undefined ? undefined : scheme + path;
}

/** Whether a longer text (a command line, a list in one string) contains a word that refers to the source workspace. */
export function mentionsSource(text: string, mapping: WorkspaceMapping): boolean {
  const words = text.split(/[\s"'`,;=()<>|]+/);
  return words.length > 1 && words.some((word) => movedReference(word, mapping) !== undefined);
}
