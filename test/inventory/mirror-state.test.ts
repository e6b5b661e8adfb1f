/**
 * What a move needs of the control store is in the standby's storage too, on the local Azure: whole, once, and the
 * newest.
 */
import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ensurePointer } from '../../src/control-store/region-pointer.ts';
import { mirroredStates, mirrorState, type MirroredState } from '../../src/inventory/mirror-state.ts';
import { replicate, startScene, textOf, type Scene } from '../recovery-point/scene.ts';

const container = 'understudy-replica';
let scene: Scene;

beforeAll(async () => {
  scene = await startScene();
  await ensurePointer(scene.store, { topology: scene.topology, who: 'test', now: new Date() });
  await scene.store.write('topology.json', '{}', 'application/json');
  await scene.store.write('bundles/b.json', '{"topology":{}}', 'application/json');
}, 120_000);
afterAll(() => scene?.close());

async function newest(): Promise<MirroredState> {
  return mirroredStates.parse(
    JSON.parse((await textOf(scene.westAccount, container, 'state/newest.json')) ?? ''),
    'state/newest.json',
  );
}

async function mirrored() {
  const run = scene.run();
  const { ref } = await replicate(run);
  return { ref, run, result: await run.step('mirror', 'mirrorState', mirrorState) };
}

describe('the state', () => {
  it('is there whole, each document as its digest says, and named by what is written last', async () => {
    const { ref, result } = await mirrored();
    const { documents, ...state } = await newest();
    expect(state).toMatchObject({ point: ref.id, digest: ref.digest, epoch: 1, region: 'eastus' });
    for (const { name, sha256 } of documents) {
      const text = (await textOf(scene.westAccount, container, name)) ?? '';
      expect(createHash('sha256').update(text).digest('hex'), name).toBe(sha256);
    }
    expect(
      documents.map(({ name }) => name.replace(/^state\/(points\/[^/]+|parts)\//, '$1/').replace(ref.id, 'ID')),
    ).toEqual(
      expect.arrayContaining([
        'points/ID/pointer.json',
        'points/ID/topology.json',
        'points/ID/bundle.json',
        'points/ID/sealed.json',
      ]),
    );
    expect(result.counts).toMatchObject([{ expected: documents.length, done: documents.length, failed: [] }]);
  });

  it('is copied once: parts that are the same are not copied again, and a second attempt changes nothing', async () => {
    const { run, result } = await mirrored();
    const [counts] = result.counts ?? [];
    expect(counts?.done).toBe(4);
    expect(counts?.skipped).toMatchObject([{ reason: 'it is there already' }]);
    const before = await newest();
    await run.step('mirror', 'mirrorState', mirrorState);
    expect(await newest()).toEqual(before);
  });

  it('of an earlier recovery point does not replace that of a later one', async () => {
    const early = scene.run();
    await replicate(early);
    const { ref } = await mirrored();
    await early.step('mirror', 'mirrorState', mirrorState);
    expect((await newest()).point).toBe(ref.id);
  });

  it('fails where a document is gone, and leaves the newest as it is', async () => {
    const before = await newest();
    const run = scene.run();
    await replicate(run);
    scene.store.documents.delete('bundles/b.json');
    await expect(run.step('mirror', 'mirrorState', mirrorState)).rejects.toMatchObject({
      code: 'ControlStoreError',
      message: '"bundles/b.json" is not in the control store',
    });
    expect(await newest()).toEqual(before);
  });
});
