/**
 * The URIs of Azure Machine Learning: `azureml://…` in its short and long forms, `azureml:name:version`, and MLflow's
 * `runs:/…`. They are parsed here, and formatted in the long form that Azure's own client writes.
 */
import type { WorkspaceRef } from '../topology/topology.ts';
import { locateWorkspace, sameName, type WorkspacePlace } from './arm-id.ts';

/** The workspace or registry that a URI refers to. */
type Scope =
  /** The workspace in which the URI is used. */
  | { kind: 'current' }
  | { kind: 'workspace'; workspace: WorkspaceRef; place: WorkspacePlace }
  /** `azureml://locations/{location}/workspaces/{guid}/…` */
  | { kind: 'located'; location: string; guid: string }
  /** `azureml://registries/{registry}/…`: belongs to no workspace. */
  | { kind: 'registry'; registry: string }
  /** `azureml://{host}/mlflow/…/subscriptions/…/workspaces/{ws}`: MLflow's tracking URI. */
  | { kind: 'tracking'; host: string; workspace: WorkspaceRef; place: WorkspacePlace };

/** What a URI refers to. */
export type Target =
  | { kind: 'datastore'; datastore: string; path: string }
  | { kind: 'job-output'; job: string; output: string; path: string }
  /** `name` and `version` of an asset, or a label (`latest`) if the URI has one instead of a version. */
  | { kind: 'asset'; type?: string; name: string; version?: string; label?: string }
  /** MLflow's `runs:/{run}/{path}`: the artifacts of a run. */
  | { kind: 'run'; run: string; path: string }
  | { kind: 'other' };

/** A parsed URI. */
export interface AzureMlUri {
  scope: Scope;
  target: Target;
  /** Segments after `azureml://`. Empty for the other forms. */
  segments: string[];
  /** Index in `segments` where the target begins. */
  targetAt: number;
}

const current: Scope = { kind: 'current' };

/** Undefined for any other form. `azureml:/subscriptions/…` is an ARM id (see `parseArmId`). */
export function parseAzureMlUri(value: string): AzureMlUri | undefined {
  if (/[\r\n]/.test(value)) return undefined;
  const run = /^runs:\/+([^/]+)(?:\/(.*))?$/.exec(value);
  if (run)
    return {
      scope: current,
      target: { kind: 'run', run: run[1] ?? '', path: run[2] ?? '' },
      segments: [],
      targetAt: 0,
    };
  if (/^azureml:\/\//i.test(value)) return parseLong(value.slice('azureml://'.length).split('/'));
  const short = /^azureml:([A-Za-z0-9][\w.-]*)(?::([\w.-]+)|@([\w.-]+))?$/.exec(value);
  if (!short) return undefined;
  const [, name = '', version, label] = short;
  const target: Target = {
    kind: 'asset',
    name,
    ...(version ? { version } : {}),
    ...(label ? { label } : {}),
  };
  return { scope: current, target, segments: [], targetAt: 0 };
}

function parseLong(segments: string[]): AzureMlUri | undefined {
  const [first = '', second = '', third, fourth = ''] = segments;
  const at = (scope: Scope, targetAt: number): AzureMlUri => ({
    scope,
    target: parseTarget(segments.slice(targetAt)),
    segments,
    targetAt,
  });
  if (sameName(first, 'registries') && second !== '') return at({ kind: 'registry', registry: second }, 2);
  if (sameName(first, 'locations') && sameName(third, 'workspaces') && fourth !== '') {
    return at({ kind: 'located', location: second, guid: fourth }, 4);
  }
  if (first.includes('.') || first.includes(':')) {
    const start = segments.findIndex((segment) => sameName(segment, 'subscriptions'));
    const place = start < 0 ? undefined : locateWorkspace(segments, start);
    return place && at({ kind: 'tracking', host: first, workspace: place.workspace, place }, place.nameAt + 1);
  }
  const place = locateWorkspace(segments, 0);
  if (place) return at({ kind: 'workspace', workspace: place.workspace, place }, place.nameAt + 1);
  return parseTarget(segments).kind === 'other' ? undefined : at(current, 0);
}

function parseTarget(segments: string[]): Target {
  const [type = '', name = '', third, fourth = ''] = segments;
  if (name === '') return { kind: 'other' };
  if (sameName(type, 'datastores')) {
    // Azure writes the run's own artifacts without `paths/`: azureml://datastores/{ds}/ExperimentRun/dcid.{job}.
    const path = segments.slice(sameName(third, 'paths') ? 3 : 2).join('/');
    return { kind: 'datastore', datastore: name, path };
  }
  if (sameName(type, 'jobs')) {
    if (!sameName(third, 'outputs') || fourth === '') return { kind: 'other' };
    const path = segments.slice(sameName(segments[4], 'paths') ? 5 : 4).join('/');
    return { kind: 'job-output', job: name, output: fourth, path };
  }
  if (sameName(third, 'versions')) return { kind: 'asset', type, name, version: fourth };
  if (sameName(third, 'labels')) return { kind: 'asset', type, name, label: fourth };
  return { kind: 'other' };
}

/** Formats the long form, which names the workspace, as Azure's own client does. */
export function datastoreUri(workspace: WorkspaceRef, datastore: string, path: string): string {
  const { subscriptionId, resourceGroup, name } = workspace;
  return `azureml://subscriptions/${subscriptionId}/resourcegroups/${resourceGroup}/workspaces/${name}/datastores/${datastore}/paths/${path}`;
}
