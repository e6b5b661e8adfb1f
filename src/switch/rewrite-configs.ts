/** Rewrites the config files of one declared target, on its host. The mapping comes from the recovery point. */
import { resolve } from 'node:path';
import { ConfigError, showPlace } from '../config-files/error.ts';
import type { WorkspaceMapping } from '../config-files/mapping.ts';
import type { ConfigFileOutcome, ConfigOutcome, ConfigRequest, TargetFiles } from '../config-files/outcome.ts';
import { applyConfigs, undoBegunConfigs, undoConfigs } from '../config-files/targets.ts';
import { UnderstudyError } from '../errors/error.ts';
import { recoveryPointOf } from '../run/work/recovery-point-of.ts';
import type { Evidence, StepResult } from '../run/work/outcome.ts';
import type { StepContext } from '../run/work/step-context.ts';
import { computeNames } from '../topology/compute-names.ts';
import { readMapping } from './config-mapping.ts';
import { backFrom, readEarlierRun, type KeptUndo } from './earlier-run.ts';
import { targetFrom } from './look-at-configs.ts';

/**
 * Rewrites one target: all of its files or none. If the step names the run whose move it reverses (`backFrom`), files
 * that nobody has edited since that run get their original content.
 * Errors: ConfigError, which says everything that is wrong with them.
 */
export async function rewriteConfigs(context: StepContext): Promise<StepResult> {
  const target = targetOf(context);
  const outcome = await rewrite(context, target);
  const count = (status: ConfigFileOutcome['status']) => outcome.files.filter((file) => file.status === status).length;
  const unchanged = count('unchanged');
  const changed = outcome.files.length - unchanged;
  const earlier = backFrom(context.step);
  return {
    state: 'completed',
    detail:
      `${changed} of ${outcome.files.length} config files rewritten on ${target.host}` +
      (earlier === undefined ? '' : `, ${count('restored')} of them as before run ${earlier}`) +
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
    evidence: [await keepDiffs(context, target, outcome)],
    undo: outcome.undo,
  };
}

/** Restores the files. Of work that was interrupted or refused, it first finds out what was changed, if anything. */
export async function putConfigsBack(context: StepContext, undo: unknown): Promise<string> {
  const kept = (undo ?? { kind: 'none' }) as KeptUndo;
  const target = targetOf(context);
  const waiting = () => context.checkpoint({ unit: 'config files waiting', done: 0 });
  const { files } =
    kept.kind === 'begun'
      ? await undoBegunConfigs({ ...(await requestOf(context, target)), mapping: () => mappingOf(context) }, waiting)
      : await undoConfigs(kept, waiting);
  const left = files.filter(({ status }) => status === 'failed' || status === 'changed-since');
  if (left.length > 0) {
    const lines = left.map(
      ({ file, status, reason }) => `${nameOf(target, file)}: ${status}${reason === undefined ? '' : ` (${reason})`}`,
    );
    throw new UnderstudyError('ConfigError', `not put back: ${lines.join('; ')}`, {
      next: `Put these back by hand, from ${'git' in target ? 'their Git history' : 'the backup next to them'}.`,
    });
  }
  if (files.length === 0) return 'no config file was changed: nothing to put back';
  return `${files.length} config files put back`;
}

/** Returns a file's name on its host: Git names it below its working copy, and there may be several of those. */
function nameOf(target: TargetFiles, file: string): string {
  return 'git' in target ? resolve(target.git, file) : file;
}

async function requestOf(
  { run, step, store }: StepContext,
  target: TargetFiles,
): Promise<Omit<ConfigRequest, 'mapping' | 'observe'>> {
  const earlier = backFrom(step);
  return {
    target,
    runId: run.runId,
    stepId: step.id,
    ...(earlier === undefined ? {} : { backFrom: await readEarlierRun(store, earlier, target.host) }),
  };
}

function targetOf({ topology, step }: StepContext): TargetFiles {
  const target = topology.configs[Number(step.input.target)];
  if (target) return targetFrom(target);
  throw new UnderstudyError('ControlStoreError', `step "${step.id}" names no config target of its topology`);
}

async function rewrite(context: StepContext, target: TargetFiles): Promise<ConfigOutcome> {
  let done: 'Nothing was written. ' | 'What was written is put back. ' | '' = 'Nothing was written. ';
  try {
    return await applyConfigs({
      ...(await requestOf(context, target)),
      mapping: await mappingOf(context),
      observe: async ({ kind }) => {
        if (kind === 'checked') await context.recordUndo<KeptUndo>(() => ({ kind: 'begun' }));
        if (kind === 'written') done = '';
        if (kind === 'put-back') done = 'What was written is put back. ';
        await context.checkpoint({ unit: `config files ${kind}`, done: 0 });
      },
    });
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    const all = [error, ...error.others];
    throw new UnderstudyError('ConfigError', all.map(({ message }) => message).join('; '), {
      place: showPlace(error),
      next:
        `${done}${all.map(({ diagnosis }) => diagnosis.next).join(' ')} ` +
        `Then "understudy retry ${context.run.runId}".`,
      cause: error,
    });
  }
}

async function keepDiffs(
  { store, run, step }: StepContext,
  target: TargetFiles,
  outcome: ConfigOutcome,
): Promise<Evidence> {
  const folder = `runs/${run.runId}/evidence/configs-${step.id.replaceAll('/', '.')}`;
  const digest = await store.seal(
    folder,
    outcome.files.map(({ file, status, reason, diff, changes }) => ({
      host: target.host,
      file: nameOf(target, file),
      status,
      ...(reason === undefined ? {} : { reason }),
      diff,
      changes,
      ...(outcome.commit === undefined ? {} : { commit: outcome.commit }),
    })),
  );
  return { kind: 'configs', blob: `${folder}/${digest}.json`, digest };
}

async function mappingOf(context: StepContext): Promise<WorkspaceMapping> {
  const { from, to, topology, azure, store, signal } = context;
  const recoveryPoint = await recoveryPointOf(context);
  if (!recoveryPoint) throw new UnderstudyError('ControlStoreError', 'the run has no recovery point');
  const compute = computeNames(topology, from.region);
  return readMapping({ from, to, compute, azure, store, signal, recoveryPoint });
}
