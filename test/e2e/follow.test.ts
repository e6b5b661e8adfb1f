/** After a failover nobody types anything: once the lost region is steady, it is a standby again. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Scene } from './harness.ts';
import { journals, readControlStore, readEast } from './judge.ts';
import { waitFor } from './processes.ts';

let scene: Scene;
beforeAll(async () => {
  scene = await Scene.open({ topology: (text) => `${text}\nreprotect: { steady: 5s }\n` });
});
afterAll(() => scene?.close());

const protection = async () =>
  ((await scene.document(['status'])).document as { protection: { protected: boolean; missing: string[] } }).protection;

it('a lost region is reprotected by itself once it is steady', async () => {
  expect(await protection()).toEqual({ protected: true, missing: [] });
  await scene.outage('eastus', 'dark');
  const failover = await scene.run(['failover', '--to', 'westus3', '--yes', '--reason', 'eastus is dark']);
  expect(failover.code, failover.output).toBe(0);
  expect(await protection()).toMatchObject({
    protected: false,
    missing: expect.arrayContaining([expect.stringContaining('has left eastus')]) as string[],
  });
  expect(journals(await readControlStore(scene), 'reprotect')).toEqual([]);
  await scene.outage('eastus', 'none');
  await waitFor(
    'the reprotection',
    async () => journals(await readControlStore(scene), 'reprotect')[0]?.run.state === 'completed',
    120,
    1000,
  );
  const [run, ...more] = journals(await readControlStore(scene), 'reprotect');
  expect(more).toEqual([]);
  expect(run?.run).toMatchObject({ triggeredBy: 'understudy' });
  expect(await protection()).toEqual({ protected: true, missing: [] });
  const east = await readEast(scene.azure);
  const unfinished = [...east.jobs.values()].filter(
    ({ properties }) => !['Completed', 'Failed', 'Canceled'].includes(String(properties.status)),
  );
  expect(unfinished.map(({ name }) => name)).toEqual([]);
});
