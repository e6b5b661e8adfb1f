/**
 * The active region dies in the midst of a switchover. Until the pointer is taken, the switchover cannot end, and a
 * failover ends it; after that it goes on to its end, and what fell silent is owed. `DEATHS=11 SEED=7` tries all parts of
 * it, `PHASE=verify` one.
 */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Scene } from './harness.ts';
import { journals, pointerOf, readControlStore } from './judge.ts';
import { seed } from './moments.ts';
import type { Running } from './processes.ts';
import { drawParts, Round, type Part } from './rounds.ts';

/** Whether the pointer is taken by then; undefined: it may be, or not. */
type PartOfSwitchover = Part & { isCommitted?: boolean };

const parts: PartOfSwitchover[] = [
  { name: 'fence/intake', step: 'fence/platform/intake', withinMs: 1000, isCommitted: false },
  { name: 'fence/drain', step: 'fence/platform/drain', withinMs: 7000, isCommitted: false },
  { name: 'fence/copy', step: 'fence/platform/copy', withinMs: 500, isCommitted: false },
  { name: 'fence/seal', step: 'fence/platform/seal', withinMs: 200, isCommitted: false },
  { name: 'fence/writers', step: 'fence/platform/writers', withinMs: 300, isCommitted: true },
  // It begins while the fence is under way.
  { name: 'provision', step: 'provision/training', withinMs: 1500 },
  { name: 'restore', step: 'restore/', withinMs: 1000, isCommitted: true },
  { name: 'configure', step: 'configure/', withinMs: 1000, isCommitted: true },
  { name: 'verify', step: 'verify/', withinMs: 1000, isCommitted: true },
  { name: 'switch', step: 'switch/', withinMs: 1000, isCommitted: true },
  { name: 'resume', step: 'resume/', withinMs: 1000, isCommitted: true },
];

let scene: Scene;
beforeAll(async () => {
  scene = await Scene.open({ topology: draining });
});
afterAll(() => scene?.close());

const draining = (text: string) =>
  text.replace(/^jobs:$/m, 'jobs:\n  drain: { policy: checkpoint, deadline: 8s, afterDeadline: cancel }');

const drawn = drawParts(parts, { asked: process.env.DEATHS, usual: 1 });

it.each(drawn.map((part, index) => [index + 1, part.name, part] as const))(
  `death %i, in %s of a switchover (seed ${seed}): the workspace moves, once`,
  async (index, _name, part) => {
    const round = await Round.begin(scene, index);
    const args = ['--to', round.to, '--yes', '--reason', `round ${index}`];
    const switchover = scene.command(['switchover', ...args]);
    await round.reach(part);
    await round.silence();
    // Either it takes the pointer soon, or it cannot.
    await round.pause(3000, 8000);
    const isCommitted = pointerOf(await readControlStore(scene)).writer === round.to;
    if (part.isCommitted !== undefined) expect(isCommitted, `${round.when}: committed`).toBe(part.isCommitted);
    if (!isCommitted) await supersede(switchover, args, round);
    expect(await switchover.ended, `${round.when}: ${switchover.output}`).toBe(isCommitted ? 0 : 3);
    await round.answer();
    await round.judgeMove(isCommitted ? 'switchover' : 'failover');
    await round.reprotect();
  },
);

/** A failover ends the switchover, of which nothing is undone. */
async function supersede(switchover: Running, args: string[], { when }: Round): Promise<void> {
  const failover = await scene.run(['failover', ...args]);
  expect(failover.code, `${when}: ${failover.output}; switchover: ${switchover.output}`).toBe(0);
  expect(failover.output, when).toMatch(/this ends run "\S+-switchover-/);
  const documents = await readControlStore(scene);
  const given = journals(documents, 'switchover').at(-1)?.run;
  const moved = journals(documents, 'failover').at(-1)?.run;
  expect(given, when).toMatchObject({ state: 'cancelled', supersededBy: moved?.runId });
  expect(moved, when).toMatchObject({ supersedes: given?.runId });
}
