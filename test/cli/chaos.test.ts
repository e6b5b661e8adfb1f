/** `understudy chaos`, as a person types it, against a local Azure that a stack's folder tells of. */
import { spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startCloud, type RunningCloud } from '../../simulator/cloud.ts';

const program = join(import.meta.dirname, '..', '..', 'bin', 'understudy.mjs');
let folder: string;
let cloud: RunningCloud;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'understudy-chaos-'));
  cloud = await startCloud({ stateDirectory: join(folder, '.understudy', 'azure') });
  const state = { processes: [], cloud: cloud.address };
  await writeFile(join(folder, '.understudy', 'stack.json'), JSON.stringify(state));
}, 240_000);
afterAll(async () => {
  await cloud.close();
  await rm(folder, { recursive: true, force: true });
});

async function chaos(...args: string[]): Promise<{ code: number | null; out: string; err: string }> {
  const child = spawn(process.execPath, [program, 'chaos', ...args], {
    cwd: folder,
    env: { ...process.env, NO_COLOR: '1' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let [out, err] = ['', ''];
  child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (err += chunk.toString()));
  const code = await new Promise<number | null>((done, fail) => child.on('error', fail).on('close', done));
  return { code, out, err };
}

it('lists, starts, shows and stops scenarios of the stack', async () => {
  const listed = await chaos('list');
  expect(listed.code).toBe(0);
  expect(listed.out).toMatch(/^region-flapping\n {4}the whole region is out.*\n {4}--period 60s +from one/m);
  const asked = 'start region-flapping --region eastus --period 30s --seed 7 --duty=25% --for 10m';
  const started = await chaos(...asked.split(' '));
  expect(started).toMatchObject({ code: 0, err: '' });
  expect(started.out).toContain('region-flapping in eastus: since ');
  expect(started.out).toContain('--period 30s --duty 25% --mode dark --status 503 --seed 7');
  expect(cloud.faults.isWhollyDark('eastus')).toBe(true);
  const { out } = await chaos('status', '--output', 'json');
  const [running] = JSON.parse(out) as { name: string; startedAt: string; endsAt: string }[];
  expect(running).toMatchObject({ name: 'region-flapping', region: 'eastus', seed: 7 });
  expect(Date.parse(running?.endsAt ?? '') - Date.parse(running?.startedAt ?? '')).toBe(600_000);
  expect((await chaos('stop', 'region-flapping')).out).toBe('stopped: region-flapping in eastus\n');
  expect((await chaos('status')).out).toBe('no scenario runs\n');
  expect(cloud.faults.isWhollyDark('eastus')).toBe(false);
}, 240_000);

it('lists without a stack, for what there is does not hang on one', async () => {
  const listed = await chaos('list', '--output', 'json', '--folder', join(folder, 'none'));
  expect(listed).toMatchObject({ code: 0, err: '' });
  expect(JSON.parse(listed.out)).toContainEqual(expect.objectContaining({ name: 'brownout' }));
});

it('says what there is when it is called wrongly, and changes nothing', async () => {
  const wrong = await Promise.all([
    chaos('start', 'earthquake', '--region', 'eastus'),
    chaos('start', 'brownout', '--region', 'eastus', '--latncy', '1s'),
    chaos('start', 'brownout', '--region', 'eastus', '--latency'),
    chaos('start', 'brownout', '--region', 'eastus', 'fast'),
    chaos('start', 'brownout', '--seed', 'x'),
    chaos('stop', 'brownout'),
    chaos('status', '--folder', 'elsewhere'),
  ]);
  expect(wrong.map(({ code }) => code)).toEqual([2, 2, 2, 2, 2, 2, 2]);
  const said = wrong.map(({ err }) => err);
  expect(said[0]).toContain("there is no scenario 'earthquake'; there are region-lost, ");
  expect(said[1]).toContain("no parameter 'latncy': it has latency, jitter");
  expect(said[2]).toContain('parameter --latency: expected a value');
  expect(said[3]).toContain('expected a parameter as in --period 30s, got "fast"');
  expect(said[4]).toContain('Expected a whole number');
  expect(said[5]).toContain("scenario 'brownout' does not run: none does");
  expect(said[6]).toContain('no stack is up in "elsewhere"');
  expect(said.join('')).not.toMatch(/^\s+at /m);
  expect(cloud.chaos.running()).toEqual([]);
}, 240_000);
