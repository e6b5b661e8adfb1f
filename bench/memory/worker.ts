/**
 * The process that is measured: `node worker.ts SETTINGS`. It takes a recovery point of a world in memory, opens it,
 * restores it and reconciles; prints one line of JSON, `Outcome`.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openRecoveryPoint } from '../../src/recovery-point/recovery-point.ts';
import { reconcileBlobs } from '../../src/blobs/reconcile-blobs.ts';
import { restoreBlobs } from '../../src/blobs/restore-blobs.ts';
import type { RecoveryPointRef } from '../../src/plan/plan.ts';
import type { StepResult } from '../../src/run/work/outcome.ts';
import { diskStore } from '../disk-store.ts';
import { processorSeconds } from '../figures.ts';
import { mebi, sampleMemory } from '../rss.ts';
import { replicate, startStepRun } from '../step-runs.ts';
import type { Outcome, PhaseOutcome, Settings } from './benchmark.ts';
import { heldLines, plainLines } from './peer.ts';
import { world } from './world.ts';

const settings = JSON.parse(process.argv[2] ?? '{}') as Settings;

async function measure({ blobs, folders, jobs }: Settings): Promise<PhaseOutcome[]> {
  const folder = mkdtempSync(join(tmpdir(), 'understudy-bench-memory-'));
  const phases: PhaseOutcome[] = [];
  const during = async (phase: string, work: () => Promise<unknown>) => {
    const sampler = sampleMemory();
    const seconds = await processorSeconds(work);
    phases.push({ phase, seconds, samplesMiB: sampler.stop().map((bytes) => bytes / mebi) });
  };
  try {
    const store = diskStore(folder);
    const { azure, topology } = world({ blobs, folders }, jobs);
    let recoveryPoint: RecoveryPointRef | undefined;
    for (const again of ['', ' again']) {
      const run = startStepRun({ azure, store, topology, operation: 'replicate' });
      recoveryPoint = await replicate(run, (step, work) => during(`${step}${again}`, work));
    }
    if (!recoveryPoint) throw new Error('there is no recovery point');
    const { id } = recoveryPoint;
    await during('open', () => openRecoveryPoint(store, id));
    const run = startStepRun({ azure, store, topology, operation: 'failover', recoveryPoint });
    await during('restore', async () => expectAll(await run.step('restore', 'restoreBlobs', restoreBlobs), blobs));
    await during('reconcile', async () => expectAll(await run.step('verify', 'reconcileBlobs', reconcileBlobs), blobs));
    return phases;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function expectAll({ counts, detail }: StepResult, blobs: number): void {
  if (counts?.[0]?.done !== blobs) throw new Error(`expected ${blobs} blobs: ${detail}`);
}

async function peer({ blobs }: Settings): Promise<Outcome['peer']> {
  const seconds = await plainLines(blobs);
  return { seconds, heldMiB: heldLines(blobs) / mebi };
}

const outcome: Outcome = settings.peer
  ? { phases: [], peer: await peer(settings) }
  : { phases: await measure(settings), peer: { seconds: 0, heldMiB: 0 } };
console.log(JSON.stringify(outcome));
