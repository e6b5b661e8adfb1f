/** From `init` to a topology that is valid, as a new user goes: what is printed where, and how each ends. */
import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { minimal, subscription } from '../topology/minimal.ts';

const program = join(import.meta.dirname, '..', '..', 'bin', 'understudy.mjs');

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'understudy-validate-'));
});
afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
});

/** `PATH`: the folder alone, where no Bicep CLI is. */
function understudy(...args: string[]): Promise<{ code: number | null; out: string; err: string }> {
  const env = { ...process.env, PATH: folder };
  const child = spawn(process.execPath, [program, ...args], { cwd: folder, env });
  let [out, err] = ['', ''];
  child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (err += chunk.toString()));
  return new Promise((done) => {
    child.on('close', (code) => done({ code, out, err }));
  });
}

it('leads from init, by the subscription that is named three times, to a topology that is valid', async () => {
  expect(await understudy('init')).toMatchObject({
    code: 0,
    out: expect.stringContaining('put in your own subscription'),
  });
  const refused = await understudy('validate');
  expect([refused.code, refused.out]).toEqual([2, '']);
  const places = [...refused.err.matchAll(/^understudy\.yaml:(\d+):(\d+): \S+subscriptionId: /gm)];
  expect(places).toHaveLength(3);

  const file = join(folder, 'understudy.yaml');
  const lines = (await readFile(file, 'utf8')).split('\n');
  for (const [, line, column] of places) {
    const at = Number(line) - 1;
    const key = (lines[at] ?? '').slice(Number(column) - 1);
    lines[at] = (lines[at] ?? '').replace(
      key,
      key.replace(/^subscriptionId: [0-9-]+/, `subscriptionId: ${subscription}`),
    );
  }
  await writeFile(file, lines.join('\n'));
  expect(await understudy('validate')).toEqual({
    code: 0,
    out: 'understudy.yaml: "my-ml" is valid: regions eastus and westus3, 0 templates, 0 config targets, 0 probes\n',
    err: '',
  });
});

it('prints warnings on standard error, and is valid all the same', async () => {
  const text = minimal
    .replace('westus3:', 'atlantis:')
    .replace('name: fraud-west }', 'name: fraud-west }, template: { file: a.bicep }');
  await writeFile(join(folder, 'understudy.yaml'), text);
  await writeFile(join(folder, 'a.bicep'), '');
  await writeFile(join(folder, 'a.json'), '{"resources": []}');
  const { code, out, err } = await understudy('validate');
  expect([code, out]).toEqual([
    0,
    'understudy.yaml: "fraud-ml" is valid, with 2 warnings: regions eastus and atlantis, 1 template, 0 config targets, 0 probes\n',
  ]);
  expect(err.trimEnd().split('\n')).toEqual([
    expect.stringMatching(/^warning: understudy\.yaml:4:3: regions\.atlantis: "atlantis" is no Azure region that/),
    expect.stringMatching(
      /^warning: understudy\.yaml:4:\d+: regions\.atlantis\.template\.file: there is no Bicep CLI here/,
    ),
  ]);
});

it('does not write over a topology that is there, and says what to do', async () => {
  await writeFile(join(folder, 'understudy.yaml'), 'mine');
  const { code, err } = await understudy('init');
  expect(code).toBe(2);
  expect(err).toContain('  → Name another file: --topology FILE.');
  expect(await readFile(join(folder, 'understudy.yaml'), 'utf8')).toBe('mine');
});

it('register says in its help that it reads a topology file', async () => {
  const { out } = await understudy('register', '--help');
  expect(out).toContain('store the topology and its templates');
  expect(out).toContain('It reads the topology file (--topology)');
});
