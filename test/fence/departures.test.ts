/** Which departure from a region a run ends, and that the undo of a move reopens what the move has ended. */
import { describe, expect, it } from 'vitest';
import { movePointer } from '../../src/control-store/region-pointer.ts';
import { recordDeparture, unprotected } from '../../src/fence/departures.ts';
import { endReprotect } from '../../src/fence/end-reprotect.ts';
import { returnPointer, takePointer } from '../../src/fence/take-pointer.ts';
import { takeOver } from '../../src/topology/pointer.ts';
import { makeStage } from '../run/step-context.ts';

const left = { region: 'westus3', run: 'an-earlier-move' };
const step = 'fence/platform/pointer';

describe('a move to a region that was left, and not reprotected', () => {
  const moved = async () => {
    const stage = await makeStage();
    const { store } = stage.scene;
    await recordDeparture(store, { ...left, epoch: 1 });
    const context = stage.context(step);
    await takePointer(context);
    return { store, context };
  };

  it('ends that departure, and its undo reopens it, however often', async () => {
    const { store, context } = await moved();
    expect((await unprotected(store, 'eastus'))?.departure).toMatchObject({ region: 'eastus', epoch: 2 });
    for (let times = 0; times < 2; times++) {
      await returnPointer(context);
      expect((await unprotected(store, 'westus3'))?.departure).toEqual({ ...left, epoch: 1 });
      expect(await unprotected(store, 'eastus')).toBeUndefined();
    }
  });

  it('whose undo comes too late changes nothing: another run has moved the pointer', async () => {
    const { store, context } = await moved();
    await movePointer(store, (found) => takeOver(found, 'westus3', 'a-later-move', new Date(), 0));
    await returnPointer(context);
    expect((await unprotected(store, 'eastus'))?.departure).toMatchObject({ region: 'eastus', epoch: 2 });
  });
});

describe('a reprotection', () => {
  const ended = async (epoch: number) => {
    const stage = await makeStage();
    const { store, plan } = stage.scene;
    await recordDeparture(store, { ...left, epoch });
    await endReprotect(stage.context('end', { plan: { ...plan, madeInEpoch: 2 } }));
  };

  it('ends the departure that it worked for', async () => {
    await expect(ended(2)).resolves.toBeUndefined();
  });

  it('does not end one that came after it', async () => {
    await expect(ended(3)).rejects.toMatchObject({ code: 'PreconditionError' });
  });
});
