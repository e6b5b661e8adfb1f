/** A switchover: planned work, from which nothing is lost; judged by what Azure and the host then hold. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Scene } from './harness.ts';
import { judgeMoved, readEast } from './judge.ts';
import type { Workspace } from './workspaces.ts';

const draining = (drain: string) => (text: string) => text.replace(/^jobs:$/m, `jobs:\n  drain: ${drain}`);

describe('a switchover of a workspace at work', () => {
  let scene: Scene;
  let before: Workspace;
  let output = '';
  let code: number | NodeJS.Signals;

  beforeAll(async () => {
    scene = await Scene.open({ topology: draining('{ policy: checkpoint, deadline: 20s, afterDeadline: cancel }') });
    before = await readEast(scene.azure);
    const run = await scene.run(['switchover', '--to', 'westus3', '--yes', '--reason', 'maintenance of eastus']);
    ({ code, output } = run);
  });
  afterAll(() => scene?.close());

  it('moves everything', async () => {
    expect(code, output).toBe(0);
    // The keys of its storage are others by now: its files are read with those.
    await judgeMoved(scene, { ...(await readEast(scene.azure)), jobs: before.jobs }, 'switchover');
  });
});
