/** Maps what config files may name of the old workspace to what replaces it in the new one. */
import { apiVersions, type Azure } from '../azure/azure.ts';
import type { WorkspaceMapping } from '../config-files/mapping.ts';
import type { ControlStore } from '../control-store/store.ts';
import type { RecoveryPointRef } from '../plan/plan.ts';
import type { OpenRecoveryPoint } from '../recovery-point/manifest.ts';
import { openByRef, readPart } from '../recovery-point/recovery-point.ts';
import { workspaceId, type Side } from '../topology/sides.ts';
import { findWorkspace } from '../workspace/workspace.ts';

/** A region and its workspace as declared. */
export type MovedSide = Pick<Side, 'region' | 'workspace'>;

/** What the topology alone says about a failover. */
export interface DeclaredMove {
  from: MovedSide;
  to: MovedSide;
  /** Names of computes, old → new. */
  compute: Readonly<Record<string, string>>;
}

interface MappingSource extends DeclaredMove {
  azure: Azure;
  store: ControlStore;
  recoveryPoint: RecoveryPointRef;
  signal: AbortSignal;
  /**
   * Returns a placeholder for the scoring URL of an endpoint that the standby does not have yet. Without this function,
   * that URL is not mapped and stays in the files.
   */
  awaited?: (endpoint: string) => string;
}

/**
 * Maps the old workspace to the new one, with everything that a config file may name: ids, storage, endpoints.
 * Errors: PreconditionError if the new workspace does not exist yet.
 */
export async function readMapping(source: MappingSource): Promise<WorkspaceMapping> {
  const { azure, store, to, signal } = source;
  const open = await openByRef(store, source.recoveryPoint);
  const { sealed } = open;
  const standby = await findWorkspace(azure.arm, { ...to, template: undefined }, signal);
  const account = await azure.blobAccount(standby.storageAccountId, { signal });
  const own = sealed.accounts.find((each) => each.own);
  const urls = await scoringUrls(source, open);
  if (own) urls.push({ from: own.endpoint, to: account.endpoint });
  return {
    ...declaredMapping(source),
    from: { ...source.from.workspace, location: sealed.workspace.location },
    to: { ...to.workspace, location: standby.location },
    urls,
    resources: own ? [{ from: own.id, to: standby.storageAccountId }] : [],
    ...(sealed.workspace.guid !== '' && standby.guid !== ''
      ? { workspaceId: { from: sealed.workspace.guid, to: standby.guid } }
      : {}),
  };
}

/** Maps what is known without a request: the names and ids of workspaces and computes. */
export function declaredMapping({ from, to, compute }: DeclaredMove): WorkspaceMapping {
  return {
    from: { ...from.workspace, location: from.region },
    to: { ...to.workspace, location: to.region },
    compute,
    urls: [],
  };
}

async function scoringUrls(
  { azure, store, to, signal, awaited }: MappingSource,
  open: OpenRecoveryPoint,
): Promise<{ from: string; to: string }[]> {
  const urls: { from: string; to: string }[] = [];
  for await (const endpoint of readPart(store, open.sealed, 'endpoints')) {
    const path = `${workspaceId(to.workspace)}/onlineEndpoints/${endpoint.name}`;
    const there = await azure.arm.find(path, apiVersions.machineLearning, { signal });
    const old = endpoint.properties.scoringUri;
    const scoring = there?.properties.scoringUri ?? awaited?.(endpoint.name);
    if (typeof old === 'string' && typeof scoring === 'string') urls.push({ from: old, to: scoring });
  }
  return urls;
}
