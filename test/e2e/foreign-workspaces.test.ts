/**
 * Workspaces that are not ours: put into the active region before a failover, and compared field by field after it. The expectation is
 * worked out by the tests themselves; of the product they take nothing but what it did.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { JsonObject } from '../../simulator/provider.ts';
import { longUri, versionsCarried } from './foreign/content-assets.ts';
import { writeContent, type Content } from './foreign/content.ts';
import { mover } from './foreign/expected.ts';
import { isUnfinished, judgeJobs, originOf } from './foreign/judge-jobs.ts';
import {
  judgeAssets,
  judgeBlobs,
  judgeComputes,
  judgeConnections,
  judgeDatastores,
  judgeEndpoints,
  judgeSchedules,
  type Judged,
} from './foreign/judge.ts';
import { assetKinds, look, lookAtBlobs, type Seen, type SeenBlob } from './foreign/look.ts';
import { operate, type Operated } from './foreign/operate.ts';
import { startWorld, type World } from './foreign/world.ts';

let world: World;
let content: Content;
let before: Seen;
let blobsBefore: Map<string, SeenBlob>;
let replicated: Operated;
let moved: Operated;
let judged: Judged;
let blobsAfter: Map<string, SeenBlob>;

const replica = 'understudy-replica';

beforeAll(async () => {
  world = await startWorld({
    artifacts: { versions: versionsCarried },
    jobs: { priority: ['high', 'low'] },
  });
  content = await writeContent(world, 7);
  before = await look(world, world.east);
  blobsBefore = await lookAtBlobs(world.east.account);
  replicated = await operate(world.session, 'replicate');
  await world.outage('eastus', 'dark');
  moved = await operate(world.session, 'failover', () => world.fixture.running.clock.advance(5000));
  judged = {
    before,
    after: await look(world, world.west),
    expect: mover(world, world.east, world.west, content.special),
  };
  blobsAfter = await lookAtBlobs(world.west.account, [replica]);
}, 240_000);
afterAll(() => world?.close());

/** The successor of the job that resumes, and the folder of the standby's default container that it goes on from. */
function resumption(): { name: string; folder: string } {
  const origin = `${world.east.id}/jobs/resumes`.toLowerCase();
  const successor = [...judged.after.jobs.values()].find((job) => originOf(job) === origin);
  const name = successor?.name ?? 'none';
  return { name, folder: `understudy/resume/${name}/${moved.plan.recoveryPoint?.id}` };
}

describe('a stranger’s workspace, moved while its region is dark', () => {
  it('is moved by runs that complete', () => {
    expect(replicated.errors).toEqual({});
    expect(moved.errors).toEqual({});
    expect(moved.report.problems).toEqual([]);
  });

  it('has every asset, archived ones too, with every field, and @latest as it was', () => {
    expect(judgeAssets(judged, content.notCarried)).toEqual([]);
  });

  it('has every blob, byte by byte, with its headers and metadata, and no other', async () => {
    const wanted = new Map<string, SeenBlob>();
    const { east, west, third } = world;
    for (const [key, blob] of blobsBefore) {
      const [container = '', ...path] = key.split('/');
      if (path[0] === 'data' && path[1] === 'not-carried') continue;
      const there = new Map([
        [east.container, west.container],
        [east.artifacts, west.artifacts],
      ]).get(container);
      const [folder, job, ...file] = path;
      // Checkpoints are for the successor alone, and not where their origin may go on writing unseen.
      const to = folder === 'checkpoints' && job === 'long' ? [resumption().folder, ...file] : path;
      if (there !== undefined) wanted.set([there, ...to].join('/'), blob);
    }
    await world.outage('eastus', 'none');
    for (const [key, blob] of await lookAtBlobs(third.account))
      wanted.set(`${third.account.name}-${key}`, blob);
    await world.outage('eastus', 'dark');
    expect(judgeBlobs(wanted, blobsAfter)).toEqual([]);
  });

  it('has the datastores, on its own storage or where they were', () => {
    const { west, third } = world;
    const copied = { accountName: west.account.name };
    const containerName = `${third.account.name}-shared`;
    const issued: JsonObject = { credentialsType: 'AccountKey' };
    const same = (name: string) => ({
      credentials: before.datastores.get(name)?.properties.credentials ?? null,
    });
    expect(
      judgeDatastores(judged, {
        third_lake: { ...copied, containerName, credentials: issued },
        third_sas: { ...copied, containerName, credentials: issued },
        third_gen2: { ...copied, filesystem: containerName, ...same('third_gen2') },
        own_more: { ...copied, ...same('own_more') },
        partner: same('partner'),
        partner_none: same('partner_none'),
        nowhere: same('nowhere'),
      }),
    ).toEqual([]);
    for (const name of ['partner', 'nowhere', 'third_gen2'])
      expect(judged.after.secrets.get(`datastore ${name}`)).toEqual(before.secrets.get(`datastore ${name}`));
  });

  it('has the clusters, the connections with their secrets, the schedules, the endpoints and their deployments', () => {
    expect(judgeComputes(judged)).toEqual([]);
    expect(judgeConnections(judged)).toEqual([]);
    expect(judgeSchedules(judged)).toEqual([]);
    expect(judgeEndpoints(judged)).toEqual([]);
  });

  it('has one successor for each interrupted job, and a word on every other', () => {
    const { name, folder } = resumption();
    const uri = (path: string) => longUri({ ...world, east: world.west }, 'workspaceblobstore', path);
    const resumes = {
      inputs: { resume_from: { jobInputType: 'uri_folder', mode: 'Download', uri: uri(`${folder}/`) } },
      outputs: { checkpoints: { jobOutputType: 'uri_folder', uri: uri(`checkpoints/long/${name}-hop-1/`) } },
    };
    expect(
      judgeJobs({ ...judged, written: content.jobs, report: moved.report, otherwise: { resumes } }),
    ).toEqual([]);
  });

  it('is counted: what was there is what was moved, skipped or failed, each with a reason', () => {
    for (const kind of assetKinds) {
      const versions = [...before.assets.keys()].filter(
        (key) => key.startsWith(`${kind}/`) && key.split('/').length === 3,
      );
      const row = moved.report.counts.find((each) => each.kind === kind && each.step.startsWith('restore/'));
      const skipped = versions.filter((key) => content.notCarried.has(key)).length;
      expect([kind, row?.expected, row?.done]).toEqual([kind, versions.length, versions.length - skipped]);
    }
    const rows = moved.report.counts.flatMap((row) => [...row.skipped, ...row.failed]);
    expect(rows.filter(({ reason }) => reason.trim() === '')).toEqual([]);
    const expected = (kind: string) =>
      moved.report.counts.filter((row) => row.kind === kind).map((row) => row.expected);
    const own = [...before.datastores.keys()].filter((name) => !name.startsWith('workspace'));
    expect(expected('datastores')).toEqual([own.length]);
    expect(expected('connections')).toEqual([before.connections.size]);
    expect(expected('schedules')).toEqual([before.schedules.size]);
    expect(expected('endpoints and deployments')).toEqual([before.endpoints.size + before.deployments.size]);
    expect(expected('computes')).toEqual([before.computes.size]);
    const unfinished = [...before.jobs.values()].filter(isUnfinished);
    expect(expected('jobs')).toEqual([unfinished.length]);
    const lost = moved.report.lost.map(({ text }) => text).join('\n');
    for (const name of ['nightly-batch', 'anas-box', 'files', 'in-lab']) expect(lost, name).toContain(name);
  });
});
