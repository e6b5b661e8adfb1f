/**
 * Azure's own examples of everything that a workspace has, moved and compared; skipped where there are no API
 * descriptions.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findDescriptions } from '../simulator/machinelearning/api-description.ts';
import { writeExamples, type PutExample } from './foreign/content-examples.ts';
import { mover } from './foreign/expected.ts';
import { isUnfinished, judgeJobs } from './foreign/judge-jobs.ts';
import {
  judgeAssets,
  judgeConnections,
  judgeDatastores,
  judgeEndpoints,
  judgeSchedules,
  type Judged,
} from './foreign/judge.ts';
import { look } from './foreign/look.ts';
import { operate, type Operated } from './foreign/operate.ts';
import { startWorld, type World } from './foreign/world.ts';

const folder = findDescriptions();
if (folder === undefined) process.stderr.write('skipped: no API descriptions (set AZURE_SPECS)\n');

let world: World;
let written: PutExample[];
let moved: Operated;
let judged: Judged;

beforeAll(async () => {
  if (folder === undefined) return;
  world = await startWorld();
  written = await writeExamples(world, folder);
  const before = await look(world, world.east);
  expect((await operate(world.session, 'replicate')).errors).toEqual({});
  await world.outage('eastus', 'dark');
  moved = await operate(world.session, 'failover', () => world.fixture.running.clock.advance(5000));
  judged = {
    before,
    after: await look(world, world.west),
    expect: mover(world, world.east, world.west),
  };
}, 120_000);
afterAll(() => world?.close());

describe.skipIf(folder === undefined)('Azure’s own examples', () => {
  it('are put into the active workspace, each of them', () => {
    expect(written.length).toBeGreaterThan(25);
    expect(written.filter(({ refused }) => refused !== undefined)).toEqual([]);
  });

  it('are moved by a run that completes', () => {
    expect(moved.errors).toEqual({});
    expect(moved.report.problems).toEqual([]);
  });

  it('are there with every field, or named with a reason', () => {
    // What a step has skipped, with its reason, is not to be there; but for what was only not tried.
    const skipped = new Set(
      moved.report.findings.flatMap(({ what, state, step }) =>
        state === 'skipped' && step !== 'verify/platform/datastores' ? [what] : [],
      ),
    );
    const places = Object.fromEntries(
      [...judged.before.datastores].map(([name, { properties }]) => [
        name,
        skipped.has(`datastore ${name}`) ? undefined : { credentials: properties.credentials ?? null },
      ]),
    );
    const differences = [
      ...judgeAssets(judged, new Set()),
      ...judgeConnections(judged),
      ...judgeSchedules(judged),
      ...judgeEndpoints(judged),
      ...judgeDatastores(judged, places),
      ...judgeJobs({
        ...judged,
        written: [...judged.before.jobs.values()].map((job) => ({
          name: job.name,
          fate: isUnfinished(job) ? 'resubmitted' : 'left',
        })),
        report: moved.report,
      }),
    ];
    expect(differences).toEqual([]);
  });
});
