/**
 * Workspaces that are not ours: put into the active region before a failover, and compared field by field after it. The
 * expectation is worked out by the tests themselves; of the product they take nothing but what it did.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { JsonObject } from '../../simulator/contract/index.ts';
import { longUri, versionsCarried } from './foreign/content-assets.ts';
import { writeContent, type Content } from './foreign/content.ts';
import { canary } from './foreign/content-resources.ts';
import { differing, moved as moveJson, mover, words } from './foreign/expected.ts';
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
import { assetKinds, look, lookAtBlobs, type Held, type Seen, type SeenBlob } from './foreign/look.ts';
import { operate, restoreAgain, type Operated } from './foreign/operate.ts';
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
    for (const [key, blob] of await lookAtBlobs(third.account)) wanted.set(`${third.account.name}-${key}`, blob);
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
    expect(judgeJobs({ ...judged, written: content.jobs, report: moved.report, otherwise: { resumes } })).toEqual([]);
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

describe('its secrets', () => {
  it('are nowhere in the control store: not in manifests, ledger, journal or reports', async () => {
    let documents = 0;
    for await (const name of world.session.store.list('')) {
      documents += 1;
      expect(await world.session.store.readText(name), name).not.toContain(canary);
    }
    expect(documents).toBeGreaterThan(50);
  });
});

describe('restored a second time', () => {
  it('is not touched', async () => {
    const again = await restoreAgain(world.session, moved.plan, moved.plan.madeInEpoch + 1);
    expect(again.errors).toEqual({});
    const after = await look(world, world.west);
    expect(changesOf(after)).toEqual(changesOf(judged.after));
    // Schedules are disabled until the switch, and then as they were.
    const schedules = ({ schedules: all }: Seen) => [...all].map(([name, held]) => [name, properties(held)]);
    expect(schedules(after)).toEqual(schedules(judged.after));
    const etags = (blobs: Map<string, SeenBlob>) => [...blobs].map(([key, { etag }]) => [key, etag]);
    expect(etags(await lookAtBlobs(world.west.account, [replica]))).toEqual(etags(blobsAfter));
  }, 60_000);
});

const bornInTheWest = 'models/west/model.bin';
const made = ['models/m/3', 'models/born-in-the-west', 'models/born-in-the-west/1'];
const changed = ['data/odd/v1.0', 'models/m'];

/** What a team does while it works in the standby. */
async function workOn({ west, put }: World): Promise<void> {
  const bytes = Buffer.from('made in the west');
  await west.account.container(west.container).getBlockBlobClient(bornInTheWest).uploadData(bytes);
  const modelUri = 'azureml://datastores/workspaceblobstore/paths/models/west';
  for (const path of ['models/m/versions/3', 'models/born-in-the-west/versions/1'])
    await put(`${west.id}/${path}`, { properties: { modelUri, modelType: 'custom_model' } });
  const data = `${west.id}/data/odd/versions/v1.0`;
  const { body } = await world.fixture.arm('GET', data);
  await put(data, { properties: { ...properties(body as unknown as Held), tags: { seen: 'in the west' } } });
}

function properties(held: Pick<Held, 'properties'> | undefined): JsonObject {
  if (!held) throw new Error('it is not there');
  return held.properties;
}

/** When each thing was last changed. */
function changesOf(seen: Seen): [string, unknown][] {
  const kinds = ['assets', 'datastores', 'connections', 'endpoints', 'deployments'] as const;
  return kinds.flatMap((kind) =>
    [...seen[kind]].map(([key, held]): [string, unknown] => [
      `${kind} ${key}`,
      (held['systemData'] as JsonObject | undefined)?.lastModifiedAt,
    ]),
  );
}

describe('and moved back again', () => {
  let west: Seen;
  let back: Operated;
  let returned: Seen;

  beforeAll(async () => {
    const hurry = () => world.fixture.running.clock.advance(5000);
    await workOn(world);
    await world.outage('eastus', 'none');
    expect((await operate(world.session, 'reprotect', hurry)).errors).toEqual({});
    west = await look(world, world.west);
    await world.outage('westus3', 'dark');
    back = await operate(world.session, 'failover', hurry);
    returned = await look(world, world.east);
  }, 240_000);

  it('completes, brings datastores on a second account back, and says which of somebody else it cannot use', () => {
    expect(back.errors).toEqual({});
    const failed = (isUse: boolean) =>
      back.report.findings
        .filter(({ state, step }) => state === 'failed' && (step === 'verify/platform/datastores') === isUse)
        .map(({ what }) => what)
        .toSorted((a, b) => (a < b ? -1 : 1));
    const named = (...names: string[]) => names.map((name) => `datastore ${name}`);
    expect(failed(false)).toEqual([]);
    // Those that are on somebody else's storage, with keys that never were.
    expect(failed(true)).toEqual(named('files', 'partner', 'partner_none'));
  });

  it('can use all that is on its own storage', () => {
    const [row] = back.report.counts.filter(({ kind }) => kind === 'datastores used');
    expect(row?.done).toBeGreaterThanOrEqual(4);
  });

  it('has what it had, untouched, and what was made meanwhile', async () => {
    const expectBack = mover(world, world.west, world.east);
    const untouched = (seen: Seen) =>
      [...seen.assets].flatMap(([key, { properties }]) =>
        made.includes(key) || changed.includes(key) ? [] : [[key, properties]],
      );
    expect(Object.fromEntries(untouched(returned))).toEqual(Object.fromEntries(untouched(before)));
    for (const key of [...made, 'data/odd/v1.0']) {
      const wanted = properties(west.assets.get(key));
      expect(differing(moveJson(wanted, expectBack, words), properties(returned.assets.get(key)), key)).toEqual([]);
    }
    const { accountId, container } = world.east;
    const blobs = await lookAtBlobs(await world.azure.blobAccount(accountId), [replica]);
    expect(blobs.get(`${container}/${bornInTheWest}`)).toBeDefined();
    for (const [key, { sha256 }] of blobsBefore) expect([key, blobs.get(key)?.sha256]).toEqual([key, sha256]);
    const judgedBack = { before: west, after: returned, expect: expectBack };
    expect(judgeConnections(judgedBack)).toEqual([]);
    expect(judgeSchedules(judgedBack)).toEqual([]);
    expect(judgeEndpoints(judgedBack)).toEqual([]);
  });

  it('has at most one successor of each successor', () => {
    const lineages = new Map<string, string[]>();
    for (const [name, { properties }] of returned.jobs) {
      const tags = properties.tags as JsonObject;
      const root = tags['understudy.lineage'];
      if (typeof root === 'string')
        lineages.set(root, [...(lineages.get(root) ?? []), `${name} ${JSON.stringify(tags['understudy.hop'])}`]);
    }
    expect([...lineages.values()].filter((all) => all.length !== 1)).toEqual([]);
    expect([...lineages.values()].flat().every((each) => each.endsWith('"2"'))).toBe(true);
    expect(lineages.size).toBe(content.jobs.filter(({ fate }) => fate === 'resubmitted').length);
    expect(
      [...returned.jobs.values()].filter((job) => isUnfinished(job) && originOf(job) === '').map(({ name }) => name),
    ).toEqual([]);
  });
});
