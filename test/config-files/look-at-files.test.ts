/**
 * What a look at files on a host finds: everything that would fail the rewriting, at once, and without a
 * write.
 */
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import {
  chmod,
  chown,
  link,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rename,
  rm,
  symlink,
  writeFile,
} from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Diagnosis } from '../../src/config-files/error.ts';
import type { ConfigFinding, ConfigLook } from '../../src/config-files/outcome.ts';
import { applyConfigs, lookAtConfigs } from '../../src/config-files/targets.ts';
import { armId, eastSubscription, mapping } from './mapping.ts';

const trio = `{"subscription_id": "${eastSubscription}", "resource_group": "ml-east", "workspace_name": "fraud-east"}\n`;
let folder: string;
const path = (name: string): string => join(folder, name);

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'understudy-look-'));
  await writeFile(path('config.json'), trio);
});
afterEach(async () => {
  await chmod(folder, 0o755);
  await rm(folder, { recursive: true, force: true });
});

const target = (...names: string[]) => ({ host: 'train-01', file: names.map(path) });

/**
 * Looks, sees that the look has changed nothing, and that the rewriting fails with the same words if and only
 * if the look says so.
 */
async function look(...names: string[]): Promise<ConfigLook> {
  const before = await readdir(folder);
  const seen = await lookAtConfigs({ target: target(...names), mapping });
  expect(await readdir(folder)).toEqual(before);
  const fails = seen.findings.filter(({ severity }) => severity === 'fails');
  const rewriting = applyConfigs({ target: target(...names), mapping, runId: 'run-1' });
  if (fails[0] === undefined) await rewriting;
  else {
    const { found, expected, next } = fails[0];
    await expect(rewriting).rejects.toMatchObject({ diagnosis: { found, expected, next } });
  }
  return seen;
}

const only = async (...names: string[]): Promise<ConfigFinding> => {
  const { findings } = await look(...names);
  expect(findings).toHaveLength(1);
  return findings[0] as ConfigFinding;
};

const ordinary = 65_534;

/**
 * The same look, and the rewriting, by a process of a user who is not root, to whom rights mean something.
 */
async function asOrdinaryUser(...names: string[]): Promise<ConfigFinding[]> {
  const input = { target: target(...names), mapping, user: ordinary };
  const program = join(import.meta.dirname, 'as-ordinary-user.ts');
  const output = execFileSync(process.execPath, [program, JSON.stringify(input)], { encoding: 'utf8' });
  const { findings, refused } = JSON.parse(output) as { findings: ConfigFinding[]; refused?: Diagnosis };
  expect(refused?.found).toBe(findings[0]?.found);
  return findings;
}

describe('a look at files on a host', () => {
  it('says how much a move would change, and has nothing to find where all is well', async () => {
    const { files, findings } = await look('config.json');
    expect(files).toMatchObject([{ status: 'changed' }]);
    expect(files[0]?.changes).toHaveLength(3);
    expect(findings).toEqual([]);
  });

  it('finds what is wrong with each file, not only with the first', async () => {
    await writeFile(path('bad.json'), '{"a": 1,\n "b": }\n');
    await writeFile(path('bad.yml'), 'a: b\n  c: d\n');
    await writeFile(path('bad.env'), 'A=1\nnot this\n');
    await mkdir(path('folder.json'));
    const { findings } = await look('bad.json', 'none.json', 'bad.yml', 'bad.env', 'folder.json');
    expect(findings).toMatchObject([
      { file: path('bad.json'), line: 2, column: 7, found: 'malformed JSON: expected a value' },
      { file: path('none.json'), found: 'the file does not exist' },
      { file: path('bad.yml'), line: 1, found: expect.stringMatching(/^malformed YAML: /) },
      { file: path('bad.env'), line: 2, column: 1, found: expect.stringMatching(/^malformed \.env: /) },
      { file: path('folder.json'), found: 'it is a folder', expected: 'a regular file' },
    ]);
    for (const { severity, next } of findings)
      expect([severity, next]).toEqual(['fails', expect.stringMatching(/\.$/)]);
  });

  it('finds a socket, a name without a format, and a file that has two names', async () => {
    const server = createServer().listen(path('socket.json'));
    await once(server, 'listening');
    expect((await only('socket.json')).found).toContain('socket');
    server.close();
    await writeFile(path('config.txt'), trio);
    expect((await only('config.txt')).expected).toContain('.json');
    await link(path('config.json'), path('other.json'));
    expect((await only('config.json')).found).toContain('2 hard links');
  });

  it('finds a read-only file, and a read-only folder', async () => {
    await chmod(path('config.json'), 0o444);
    expect((await only('config.json')).found).toBe('the file is read-only (mode 0444)');
    await chmod(path('config.json'), 0o644);
    await chmod(folder, 0o555);
    expect((await only('config.json')).found).toBe(`its folder "${folder}" is read-only (mode 0555)`);
    expect(await readFile(path('config.json'), 'utf8')).toBe(trio);
  });

  // Four programs, each of which loads the product.
  const long = 180_000;

  it('finds what the worker’s own user may not read, or not replace', { timeout: long }, async () => {
    const own = process.geteuid?.() === 0;
    const give = (name: string, user = ordinary) => (own ? chown(path(name), user, ordinary) : undefined);
    await give('');
    await give('config.json');
    expect(await asOrdinaryUser('config.json')).toEqual([]);
    await rm(path('.understudy-backup'), { recursive: true });
    await writeFile(path('config.json'), trio);
    await chmod(path('config.json'), 0o200);
    expect(await asOrdinaryUser('config.json')).toMatchObject([{ found: 'permission denied' }]);
    await chmod(path('config.json'), 0o644);
    await chmod(folder, 0o575); // everybody may write it but its owner
    expect(await asOrdinaryUser('config.json')).toMatchObject([{ found: 'permission denied' }]);
    await chmod(folder, 0o777);
    if (!own) return;
    await give('config.json', 0);
    await chmod(path('config.json'), 0o666);
    expect(await asOrdinaryUser('config.json')).toMatchObject([
      { found: `the file belongs to user 0, group ${ordinary}` },
    ]);
  });

  it('follows a symbolic link within the folder, as those of a mounted ConfigMap', async () => {
    await mkdir(path('..2026'));
    await rename(path('config.json'), path('..2026/config.json'));
    await symlink('..2026', path('..data'));
    await symlink('..data/config.json', path('config.json'));
    expect((await look('config.json')).files).toMatchObject([{ status: 'changed' }]);
  });

  it('refuses a symbolic link that leads out of the folder, and touches nothing there', async () => {
    await mkdir(path('app'));
    await symlink('../config.json', path('app/config.json'));
    expect(await only('app/config.json')).toMatchObject({
      found: `a symbolic link leads out of the target, to "${path('config.json')}"`,
      expected: `a file in "${path('app')}"`,
    });
    expect(await readFile(path('config.json'), 'utf8')).toBe(trio);
    // A folder that is a link is where its user said that the file is.
    await symlink('app', path('current'));
    await rm(path('app/config.json'));
    await writeFile(path('app/config.json'), trio);
    expect((await look('current/config.json')).findings).toEqual([]);
  });

  it('finds that the place of the backup is taken', async () => {
    await writeFile(path('.understudy-backup'), 'mine');
    expect((await only('config.json')).found).toContain('.understudy-backup", where its backup would go');
  });

  it('warns of a file that does not name the old workspace, and of what a person has to see to', async () => {
    await writeFile(path('plain.yml'), 'a: b\n');
    await writeFile(path('mixed.env'), `COMMAND="train --workspace ${armId('east')} --now"\n`);
    const { findings } = await look('plain.yml', 'mixed.env');
    expect(findings).toMatchObject([
      {
        severity: 'warning',
        file: path('plain.yml'),
        found: 'nothing in it names the old workspace "fraud-east"',
      },
      {
        severity: 'warning',
        file: path('mixed.env'),
        line: 1,
        found: expect.stringContaining('COMMAND: names'),
      },
    ]);
    await chmod(path('plain.yml'), 0o444); // there is nothing to write
    expect((await look('plain.yml')).findings).toMatchObject([{ severity: 'warning' }]);
  });

  it('shows no secret', async () => {
    await writeFile(path('.env'), `API_KEY=canary-1\nSCOPE=${armId('east')}\nnot this canary-2\n`);
    expect(JSON.stringify(await look('.env'))).not.toContain('canary');
  });
});
