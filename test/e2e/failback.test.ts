/**
 * There, back and there again, with some two hundred assets made on either side meanwhile, and jobs that the other side
 * knows nothing of; judged by what Azure and the host then hold.
 */
import { appendFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Resource } from './azure-reader.ts';
import { contentsOf, makeAssets, type Made } from './changes.ts';
import { Scene } from './harness.ts';
import {
  judgeTraffic,
  originalClients,
  pointerOf,
  readClients,
  readControlStore,
  readEast,
  readRegion,
  readWest,
  type Region,
} from './judge.ts';
import { judgeSides, lineageOf, ofPeople, tagsOf, unfinishedOf } from './judge-sides.ts';
import { ScheduleWatch } from './schedule-watch.ts';
import { leaks, secretsOf, tracesOf } from './secrets.ts';
import type { Workspace } from './workspaces.ts';

const draining = (text: string) => text.replace(/^jobs:$/m, 'jobs:\n  drain: { policy: cancel }');
const editedLine = '# edited by a person\n';

describe('there, back and there again', () => {
  let scene: Scene;
  let watch: ScheduleWatch | undefined;
  let secrets: Map<string, string>;
  const made: Made[] = [];

  beforeAll(async () => {
    scene = await Scene.open({ topology: draining });
    secrets = await secretsOf(scene);
    await scene.outage('eastus', 'dark');
    await typed('failover', '--to', 'westus3', '--yes', '--reason', 'eastus is dark');
    await scene.outage('eastus', 'none');
    await Promise.all((['eastus', 'westus3'] as const).map(work));
  });
  afterAll(async () => {
    await watch?.stop();
    await scene?.close();
  });

  async function typed(...args: string[]): Promise<void> {
    const { code, output } = await scene.run(args);
    expect(code, output).toBe(0);
  }

  /** What people do in a region, while nobody there knows of the other. */
  async function work(region: Region): Promise<void> {
    const here = await readRegion(scene.azure, region);
    made.push(...(await makeAssets(scene, region)));
    const describe = (name: string) => {
      const { id, properties } = versionOf(here, name);
      return scene.azure.put(id, { properties: { ...properties, description: `edited in ${region}` } });
    };
    await describe('data/labelled-sample/1');
    if (region === 'eastus') await describe('data/merchants/1');
    const backlog = [...here.jobs.values()].find((job) => lineageOf(job).root.endsWith('.fraud-rescore-backlog'));
    const { status: _status, services: _services, ...spec } = backlog?.properties ?? {};
    const properties = {
      ...spec,
      tags: { made: region },
      environmentId: `${here.id}/environments/${twice}/versions/3`,
    };
    await scene.azure.put(`${here.id}/jobs/made-in-${region}`, { properties });
  }

  const twice = 'otherwise-0';

  function versionOf({ name, versions }: Workspace, key: string): Resource {
    const version = versions.get(key);
    if (!version) throw new Error(`${name} has no ${key}`);
    return version;
  }

  it('a conflict that nobody has decided stops it before anything changes', async () => {
    await typed('reprotect');
    const [east, west] = [await readEast(scene.azure), await readWest(scene.azure)];
    watch = new ScheduleWatch(scene.azure, [east.id, west.id]);
    const since = await scene.now();
    const { code, output } = await scene.run(['failback', '--to', 'eastus', '--yes', '--reason', 'back']);
    expect(code, output).toBe(1);
    expect(output).toContain('data/labelled-sample/1 (changed on both sides)');
    expect(output).toContain('--decide "ITEM=REGION"');
    const writes = (await scene.requests(since)).filter(
      ({ method, path }) => ['PUT', 'PATCH', 'DELETE'].includes(method) && path.includes('/workspaces/'),
    );
    expect(writes).toEqual([]);
  });

  it('a decision that decides nothing is refused', async () => {
    const { code, output } = await scene.run(['failback', '--plan', '--decide', 'data/nothing/1=eastus']);
    expect(code, output).toBe(2);
    expect(output).toContain('nothing that differs matches "data/nothing/1"');
  });

  it('goes back, with what either side has made, and what was decided', async () => {
    await appendFile(join(scene.clients, 'train-01/.env'), editedLine);
    const decision = 'data/labelled-sample/1=westus3';
    await typed('failback', '--to', 'eastus', '--yes', '--reason', 'back', '--decide', decision);
    expect(pointerOf(await readControlStore(scene))).toMatchObject({ epoch: { number: 3 }, writer: 'eastus' });
    const { writer, other } = await judgeSides(scene, 'eastus', 'after the failback');
    for (const side of [writer, other]) {
      expect(versionOf(side, 'data/merchants/1').properties.description).toBe('edited in eastus');
      expect(versionOf(side, 'data/labelled-sample/1').properties.description).toBe('edited in westus3');
      await judgeMade(side);
    }
    await judgeTraffic(scene, 'eastus');
  });

  it('the jobs that either side had alone go on, once each, with the environment that they had', async () => {
    const east = await readEast(scene.azure);
    const alone = unfinishedOf(east).filter((job) => tagsOf(job).made !== undefined);
    const images = alone.map((job) => {
      const [, name, version] =
        /environments\/([^/]+)\/versions\/([^/]+)$/.exec(String(job.properties.environmentId)) ?? [];
      return [tagsOf(job).made ?? '', east.versions.get(`environments/${name}/${version}`)?.properties.image];
    });
    expect(alone).toHaveLength(2);
    const image = (region: Region) => `example.azurecr.io/base:environments-0-2-${region}`;
    expect(Object.fromEntries(images)).toEqual({ eastus: image('eastus'), westus3: image('westus3') });
    const atWork = unfinishedOf(await readWest(scene.azure)).map(({ name }) => name);
    expect(atWork.filter((name) => !ofPeople.includes(name))).toEqual([]);
  });

  it('config files have the bytes that they had, but for what a person has edited since', async () => {
    const original = await originalClients(scene);
    const edited = `${original['train-01/.env']}${editedLine}`;
    expect(await readClients(scene)).toEqual({ ...original, 'train-01/.env': edited });
  });

  it('goes there again', async () => {
    await typed('reprotect');
    await typed('switchover', '--to', 'westus3', '--yes', '--reason', 'there again');
    const { writer, other } = await judgeSides(scene, 'westus3', 'there again');
    for (const side of [writer, other]) await judgeMade(side);
  });

  it('at no moment did the schedules of both sides fire', async () => {
    expect(await watch?.stop()).toEqual([]);
  });

  it('leaves no secret anywhere', async () => {
    expect(leaks(secrets, await tracesOf(scene))).toEqual([]);
  });

  /** A workspace has what either side made, each content once. */
  async function judgeMade(side: Workspace): Promise<void> {
    const contents = Map.groupBy(made, ({ kind, name }) => `${kind}/${name}`);
    expect(contents.size).toBeGreaterThan(20);
    for (const [asset, of] of contents) {
      const expected = [...new Set(of.map(({ content }) => content))].toSorted();
      expect(await contentsOf(side, asset), `${asset} in ${side.name}`).toEqual(expected);
    }
  }
});
