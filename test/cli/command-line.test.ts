/** The command line as a person calls it, rightly and wrongly: what it says, and how it ends. */
import { spawn } from 'node:child_process';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { minimal } from '../topology/minimal.ts';

const program = join(import.meta.dirname, '..', '..', 'bin', 'understudy.mjs');

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'understudy-cli-'));
});
afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
});

interface Ended {
  code: number | null;
  signal: NodeJS.Signals | null;
  out: string;
  err: string;
}

/** `closeAfter`: how much of its output is read before the pipe is closed. */
function understudy(
  args: string[],
  { environment = {}, closeAfter }: { environment?: NodeJS.ProcessEnv; closeAfter?: number } = {},
): Promise<Ended> {
  const child = spawn(process.execPath, [program, ...args], {
    cwd: folder,
    env: { ...process.env, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let out = '';
  let err = '';
  child.stdout.on('data', (chunk: Buffer) => {
    out += chunk.toString();
    if (closeAfter !== undefined && out.length >= closeAfter) child.stdout.destroy();
  });
  child.stderr.on('data', (chunk: Buffer) => (err += chunk.toString()));
  return new Promise((done, fail) => {
    child.on('error', fail);
    child.on('close', (code, signal) => done({ code, signal, out, err }));
  });
}

describe('called wrongly', () => {
  it.each([
    ['an unknown command', ['failovr'], /unknown command 'failovr'[\s\S]*Did you mean failover/],
    ['an unknown flag', ['plan', '--force'], /unknown option '--force'/],
    ['an argument too many', ['report', 'a', 'b'], /too many arguments/],
    [
      'a choice there is none of',
      ['plan', '--operation', 'deploy'],
      /Allowed choices are failover, failback, switchover, reprotect, resubmit, replicate/,
    ],
    ['a pace that is no number', ['stack', 'up', '--pace', 'fast'], /'fast' is invalid\. Expected a number from 0 on/],
    [
      'an environment file that is not there',
      ['--environment', 'none.env', 'validate'],
      /cannot read --environment "none\.env"/,
    ],
    [
      'no topology',
      ['validate'],
      /cannot load topology "understudy\.yaml": it does not exist\n {2}→ Name it with --topology/,
    ],
    [
      'a time without its zone',
      ['failover', '--outage-began', '2026-11-21T02:58:00'],
      /--outage-began: expected a time with its zone/,
    ],
    [
      'a time to come',
      ['failover', '--outage-began', '2999-01-01T00:00:00Z'],
      /--outage-began: expected a time that is past, got "2999-01-01T00:00:00Z"/,
    ],
    [
      'a loss that is accepted without a reason',
      ['failover', '--to', 'westus3', '--yes', '--accept-loss', 'storage:lake', '--reason', ' '],
      /--accept-loss: expected --reason "…" with it/,
    ],
    [
      'a loss that is accepted without a reason, where nobody can be asked',
      ['failover', '--to', 'westus3', '--accept-loss', 'storage:lake'],
      /--accept-loss: expected --reason "…" with it/,
    ],
    ['a host without a name', ['worker', '--host', ''], /--host: expected the name of a host, got nothing/],
    [
      'a time that is none',
      ['failover', '--outage-began', 'yesterday'],
      /--outage-began: expected a time with its zone such as .*, got "yesterday"/,
    ],
  ])('with %s, it ends with 2 and leaves nothing behind', async (_what, args, says) => {
    const { code, out, err } = await understudy(args);
    expect(err).toMatch(says);
    expect(err).not.toMatch(/^\s+at /m);
    expect([code, out]).toEqual([2, '']);
    expect(await readdir(folder)).toEqual([]);
  });

  it('with a broken topology, it ends with 2 before it asks Azure or Temporal', async () => {
    await writeFile(join(folder, 'understudy.yaml'), minimal.replace('fraudcontrol', 'Fraud-Control'));
    const environment = { AZURE_AUTHORITY_HOST: 'https://127.0.0.1:9', TEMPORAL_ADDRESS: '127.0.0.1:9' };
    for (const args of [['status'], ['failover', '--to', 'westus3', '--yes']]) {
      const { code, err } = await understudy(args, { environment });
      expect(err).toMatch(/cannot load topology: understudy\.yaml:\d+:\d+: controlStore\.storageAccount: expected/);
      expect(code).toBe(2);
    }
  });

  it('with nothing to sign in with, it says what was tried and what to do', async () => {
    await writeFile(join(folder, 'understudy.yaml'), minimal);
    const { code, out, err } = await understudy(['status'], {
      environment: {
        AZURE_TOKEN_CREDENTIALS: 'EnvironmentCredential',
        AZURE_TENANT_ID: '',
        AZURE_CLIENT_ID: '',
        AZURE_CLIENT_SECRET: '',
      },
    });
    expect(err).toMatch(
      /^understudy: signing in to Azure: no token: nothing to sign in with: tried the environment \(AZURE_TENANT_ID, AZURE_CLIENT_ID, AZURE_CLIENT_SECRET not set\)\n {2}→ .*az login.*\n$/,
    );
    expect([code, out]).toEqual([1, '']);
  });

  it('with an authority that is no URL, it names the variable', async () => {
    await writeFile(join(folder, 'understudy.yaml'), minimal);
    const { code, err } = await understudy(['status'], {
      environment: { AZURE_AUTHORITY_HOST: 'localhost' },
    });
    expect(err).toMatch(/^understudy: the environment variable AZURE_AUTHORITY_HOST: expected a URL/);
    expect(code).toBe(2);
  });
});

describe('called rightly', () => {
  it('says which version it is', async () => {
    const { code, out } = await understudy(['--version']);
    expect([code, out]).toEqual([0, expect.stringMatching(/^\d+\.\d+\.\d+\n$/)]);
  });

  it.each([[['--help']], [['stack', '--help']], [['stack', 'up', '--help']], [['failover', '--help']]])(
    'helps with an example and the options that hold everywhere: %j',
    async (args) => {
      const { code, out } = await understudy(args);
      expect(code).toBe(0);
      expect(out).toContain('\nExample:\n  understudy ');
      expect(out).toContain('-t, --topology <file>');
      expect(out).toMatch(/^Exit codes:.*\b0 +done.*\b3 +declined or cancelled/ms);
    },
  );

  it('does not mind a pipe that is closed', async () => {
    const { code, err } = await understudy(['validate', '--schema'], { closeAfter: 1 });
    expect([code, err]).toEqual([0, '']);
  });
});
