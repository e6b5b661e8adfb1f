/**
 * The region that is left answers again in the midst of a failover: the failover completes, and what ran on is ended by
 * the reprotection that follows. `RETURNS=7 SEED=7` tries all phases of it, `PHASE=verify` one.
 */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Scene } from './harness.ts';
import { seed } from './moments.ts';
import { drawParts, Round, type Part } from './rounds.ts';

const parts: Part[] = [
  // It waits for the region for five seconds.
  { name: 'fence', step: 'fence/platform/intake', withinMs: 5000 },
  { name: 'provision', step: 'provision/training', withinMs: 500 },
  { name: 'restore', step: 'restore/', withinMs: 1000 },
  { name: 'configure', step: 'configure/', withinMs: 1000 },
  { name: 'verify', step: 'verify/', withinMs: 1000 },
  { name: 'switch', step: 'switch/', withinMs: 1000 },
  { name: 'resume', step: 'resume/', withinMs: 1000 },
];

let scene: Scene;
beforeAll(async () => {
  scene = await Scene.open();
});
afterAll(() => scene?.close());

const drawn = drawParts(parts, { asked: process.env.RETURNS, usual: 2 });

it.each(drawn.map((part, index) => [index + 1, part.name, part] as const))(
  `return %i, in %s of a failover (seed ${seed}): the workspace moves, once`,
  async (index, _name, part) => {
    const round = await Round.begin(scene, index);
    await round.silence();
    const args = ['--to', round.to, '--yes', '--reason', `round ${index}`];
    const failover = scene.command(['failover', ...args]);
    await round.reach(part);
    await round.answer();
    expect(await failover.ended, `${round.when}: ${failover.output}`).toBe(0);
    await round.judgeMove('failover');
    await round.reprotect();
  },
);
