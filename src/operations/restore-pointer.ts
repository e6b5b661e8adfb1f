/** Makes a lost region pointer again from what the journal says of the moves, with an epoch that was never used. */
import { epochOf } from '../recovery-point/manifest.ts';
import { readPointerIfAny, putPointer } from '../control-store/region-pointer.ts';
import type { ControlStore } from '../control-store/store.ts';
import { UnderstudyError } from '../errors/error.ts';
import { rowOf } from '../plan/operations.ts';
import { isOpen } from '../plan/run-states.ts';
import { planFolder, plans } from '../run/plan-document.ts';
import { listRuns, listSteps } from '../run/journal.ts';
import { servedBy, type RegionPointer } from '../topology/pointer.ts';
import { declaredActive, sideOf } from '../topology/sides.ts';
import { resourceClasses } from '../topology/words.ts';
import type { Session } from './session.ts';

/** The region pointer that the journal suggests. */
export interface LostPointer {
  /** As the journal has it, or as the person says. */
  writer: string;
  /** The evidence for it. */
  because: string;
  epoch: number;
  serving: RegionPointer['serving'];
  /** Moves that have not ended: the journal alone cannot tell which side their clients use. */
  unfinished: string[];
}

/** PreconditionError if there is a pointer; ControlStoreError if a run, or its plan, cannot be read. */
export async function findLostPointer({ store, topology }: Session, writer?: string): Promise<LostPointer> {
  const there = (await readPointerIfAny(store))?.value;
  if (there)
    throw new UnderstudyError(
      'PreconditionError',
      `the region pointer is there (epoch ${there.epoch.number}, writer ${there.writer}): there is nothing to restore`,
    );
  const found = await followMoves(store, declaredActive(topology));
  const epoch = Math.max(found.epoch, ...(await epochsOf(store))) + 1;
  if (writer === undefined) return { ...found, epoch };
  const { region } = sideOf(topology, writer);
  return { ...found, writer: region, because: `you say so; the journal says ${found.writer}`, epoch };
}

/** FencedError if somebody has made one in the meantime. */
export async function restorePointer(
  { store }: Session,
  { writer, epoch, serving }: LostPointer,
  { by, reason, now }: { by: string; reason: string; now: Date },
): Promise<RegionPointer> {
  const pointer: RegionPointer = {
    epoch: { number: epoch, issuer: 'control-store' },
    writer,
    serving,
    changedBy: `restore-pointer by ${by}: ${reason}`,
    changedAt: now.toISOString(),
  };
  if (await putPointer(store, pointer)) return pointer;
  throw new UnderstudyError('FencedError', 'somebody has made a region pointer in the meantime', {
    next: 'See "understudy status".',
  });
}

/** The moves in order: each that took the pointer and did not give it back makes its target the writer. */
async function followMoves(store: ControlStore, declared: string): Promise<LostPointer> {
  const lost: LostPointer = {
    writer: declared,
    because: 'no move has taken the pointer: it is the region declared active',
    epoch: 1,
    serving: Object.fromEntries(resourceClasses.map((name) => [name, servedBy(declared)])),
    unfinished: [],
  };
  const { runs, damaged } = await listRuns(store);
  // It may be the run that moved the writer last.
  if (damaged[0]) throw damaged[0].error;
  for (const run of runs.toReversed()) {
    if (run.plan === undefined) continue;
    const plan = await plans.open(store, planFolder, run.plan);
    lost.epoch = Math.max(lost.epoch, plan.madeInEpoch);
    if (!rowOf(run.operation).movesWriter) continue;
    const records = new Map((await listSteps(store, run.runId)).map((record) => [record.step, record]));
    for (const step of plan.steps) {
      const record = records.get(step.id);
      if (step.action === 'takePointer' && record) {
        // A run that gave the pointer back used one epoch more; an interrupted undo may have used it.
        lost.epoch = Math.max(lost.epoch, plan.madeInEpoch + (record.state === 'undone' ? 2 : 1));
        if (record.state === 'completed') {
          lost.writer = plan.to;
          lost.because = `run ${run.runId} has moved it there`;
        }
      }
      if (step.action === 'switchServing' && record?.state === 'completed')
        lost.serving[step.class] = servedBy(plan.to);
    }
    if (isOpen(run.state)) lost.unfinished.push(run.runId);
  }
  return lost;
}

/** Epochs of recovery points, and of everything else below `epochs/`. */
async function epochsOf(store: ControlStore): Promise<number[]> {
  const epochs = new Set<number>([0]);
  for await (const name of store.list('epochs/')) {
    const [, number, , id = ''] = name.split('/');
    epochs.add(Number(number) || 0).add(epochOf(id) ?? 0);
  }
  return [...epochs];
}
