/**
 * Rewrites the config files of one declared target, on the host that holds them; the mapping comes from the
 * recovery point.
 */
import { openByRef, readPart } from '../recovery-point/recovery-point.ts';
import { findWorkspace } from '../workspace/workspace.ts';
import type { OpenRecoveryPoint } from '../recovery-point/manifest.ts';
import { ConfigError, showPlace } from '../config-files/error.ts';
import type { WorkspaceMapping } from '../config-files/mapping.ts';
import type { ConfigOutcome, ConfigTarget, ConfigUndo } from '../config-files/outcome.ts';
import { applyConfigs, undoConfigs } from '../config-files/targets.ts';
import { apiVersions } from '../azure/azure.ts';
import { UnderstudyError } from '../errors/error.ts';
import type { Evidence, StepResult } from '../run/work/outcome.ts';
import type { StepContext } from '../run/work/step-context.ts';
import { computeNames } from '../topology/compute-names.ts';
import { workspaceId } from '../topology/sides.ts';

/**
 * Kept before the first file is written: it does not tell how far the work came before it was interrupted.
 */
type KeptUndo = ConfigUndo | { kind: 'begun' };

/** Rewrites one target, all of its files or none. ConfigError says everything that is wrong with them. */
export async function rewriteConfigs(context: StepContext): Promise<StepResult> {
  const target = targetOf(context);
  const outcome = await rewrite(context, target);
  const changed = outcome.files.filter((file) => file.status === 'changed').length;
  const unchanged = outcome.files.length - changed;
  return {
    state: 'completed',
    detail:
      `${changed} of ${outcome.files.length} config files rewritten on ${target.host}` +
      (outcome.commit === undefined ? '' : `, commit ${outcome.commit.slice(0, 10)}`),
    counts: [
      {
        kind: 'config files',
        expected: outcome.files.length,
        done: changed,
        skipped: unchanged > 0 ? [{ reason: 'nothing in it names the old workspace', count: unchanged }] : [],
        failed: [],
      },
    ],
    evidence: [await keepDiffs(context, target.host, outcome)],
    undo: outcome.undo,
  };
}

/**
 * Puts the files back. Work that was interrupted is finished first, since that tells what it did, and then
 * taken back as a whole.
 */
export async function putConfigsBack(context: StepContext, undo: unknown): Promise<string> {
  const kept = (undo ?? { kind: 'none' }) as KeptUndo;
  const { files } = await undoConfigs(
    kept.kind === 'begun' ? (await rewrite(context, targetOf(context))).undo : kept,
  );
  const left = files.filter(({ status }) => status === 'failed' || status === 'changed-since');
  if (left.length > 0) {
    const lines = left.map(
      ({ file, status, reason }) => `${file}: ${status}${reason === undefined ? '' : ` (${reason})`}`,
    );
    throw new UnderstudyError('ConfigError', `not put back: ${lines.join('; ')}`, {
      next: 'Put these back by hand, from the backup next to them.',
    });
  }
  return `${files.length} config files put back`;
}

function targetOf({ topology, step }: StepContext): ConfigTarget {
  const target = topology.configs[Number(step.input.target)];
  if (!target)
    throw new UnderstudyError(
      'ControlStoreError',
      `step "${step.id}" names no config target of its topology`,
    );
  if (!('git' in target)) return target;
  const { host, git, files, branch } = target;
  return { host, git, files, ...(branch === undefined ? {} : { branch }) };
}

async function rewrite(context: StepContext, target: ConfigTarget): Promise<ConfigOutcome> {
  let written = false;
  try {
    return await applyConfigs({
      target,
      mapping: await mappingOf(context),
      runId: context.run.runId,
      observe: async ({ kind }) => {
        if (kind === 'checked') await context.keepUndo<KeptUndo>(() => ({ kind: 'begun' }));
        if (kind === 'written') written = true;
        await context.checkpoint({ unit: `config files ${kind}`, done: 0 });
      },
    });
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    const all = [error, ...error.others];
    throw new UnderstudyError('ConfigError', all.map(({ message }) => message).join('; '), {
      place: showPlace(error),
      next:
        `${written ? '' : 'Nothing was written. '}${all.map(({ diagnosis }) => diagnosis.next).join(' ')} ` +
        `Then "understudy retry ${context.run.runId}".`,
      cause: error,
    });
  }
}

async function keepDiffs(
  { store, run, step }: StepContext,
  host: string,
  outcome: ConfigOutcome,
): Promise<Evidence> {
  const folder = `runs/${run.runId}/evidence/configs-${step.id.replaceAll('/', '.')}`;
  const digest = await store.seal(
    folder,
    outcome.files.map(({ file, status, diff, changes }) => ({
      host,
      file,
      status,
      diff,
      changes,
      ...(outcome.commit === undefined ? {} : { commit: outcome.commit }),
    })),
  );
  return { kind: 'configs', blob: `${folder}/${digest}.json`, digest };
}

/** Old workspace → new, with everything a config file may name of either: ids, storage, endpoints. */
async function mappingOf(context: StepContext): Promise<WorkspaceMapping> {
  const { azure, store, from, to, topology, plan } = context;
  if (!plan.recoveryPoint) throw new UnderstudyError('ControlStoreError', 'the plan names no recovery point');
  const open = await openByRef(store, plan.recoveryPoint);
  const standby = await findWorkspace(azure.arm, to, context.signal);
  const account = await azure.blobAccount(standby.storageAccountId, { signal: context.signal });
  const own = open.sealed.accounts.find((each) => each.own);
  const urls = await scoringUrls(context, open);
  if (own) urls.push({ from: own.endpoint, to: account.endpoint });
  return {
    from: { ...from.workspace, location: open.sealed.workspace.location },
    to: { ...to.workspace, location: standby.location },
    compute: computeNames(topology, from.region),
    urls,
    resources: own ? [{ from: own.id, to: standby.storageAccountId }] : [],
    ...(open.sealed.workspace.guid !== '' && standby.guid !== ''
      ? { workspaceId: { from: open.sealed.workspace.guid, to: standby.guid } }
      : {}),
  };
}

async function scoringUrls({ azure, store, to, signal }: StepContext, open: OpenRecoveryPoint) {
  const urls: { from: string; to: string }[] = [];
  for await (const endpoint of readPart(store, open.sealed, 'endpoints')) {
    const path = `${workspaceId(to.workspace)}/onlineEndpoints/${endpoint.name}`;
    const there = await azure.arm.find(path, apiVersions.machineLearning, { signal });
    const old = endpoint.properties.scoringUri;
    const scoring = there?.properties.scoringUri;
    if (typeof old === 'string' && typeof scoring === 'string') urls.push({ from: old, to: scoring });
  }
  return urls;
}
