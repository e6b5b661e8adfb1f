/**
 * The launcher on an older Node than the program needs: what it starts is its own, and ends with it, however it ends.
 */
import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { minimal } from '../topology/minimal.ts';

const launcher = join(import.meta.dirname, '..', '..', 'bin', 'understudy.mjs');
const oldNode = findOldNode();

/** The first `node` on the way that cannot run the program itself. */
function findOldNode(): string | undefined {
  const found = (process.env.PATH ?? '').split(delimiter).map((folder) => join(folder, 'node'));
  return found.filter(existsSync).find((node) => {
    const version = execFileSync(node, ['--version'], { encoding: 'utf8' });
    return Number(/^v(\d+)/.exec(version)?.[1]) < 24;
  });
}

let folder: string;
/** Takes every connection, and says nothing: whoever signs in there waits. */
let silent: Server;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'understudy-launcher-'));
  await writeFile(join(folder, 'understudy.yaml'), minimal);
  silent = createServer();
  await new Promise<void>((resolve) => {
    silent.listen(0, '127.0.0.1', resolve);
  });
});
afterAll(async () => {
  silent.close();
  await rm(folder, { recursive: true, force: true });
});

/** Signing in waits for the silent server. */
function environment(): NodeJS.ProcessEnv {
  return {
    ...process.env,
    AZURE_TENANT_ID: 't',
    AZURE_CLIENT_ID: 'c',
    AZURE_CLIENT_SECRET: 's',
    AZURE_AUTHORITY_HOST: `https://127.0.0.1:${(silent.address() as AddressInfo).port}`,
  };
}

function launch(args: string[]): {
  child: ChildProcess;
  ended: Promise<[number | null, NodeJS.Signals | null]>;
} {
  const child = spawn(oldNode ?? '', [launcher, ...args], {
    cwd: folder,
    stdio: ['ignore', 'ignore', 'pipe'],
    env: environment(),
  });
  const ended = new Promise<[number | null, NodeJS.Signals | null]>((done) => {
    child.on('exit', (code, signal) => done([code, signal]));
  });
  return { child, ended };
}

/** The program that the launcher runs, once it has begun to sign in. */
async function waitingProgram(child: ChildProcess): Promise<number> {
  await new Promise((connected) => silent.once('connection', connected));
  const listed = execFileSync('ps', ['-o', 'pid=', '--ppid', String(child.pid)], { encoding: 'utf8' });
  return Number(listed.trim());
}

function runs(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

describe.skipIf(oldNode === undefined || process.platform !== 'linux')('the launcher', () => {
  it('ends as the program ends', async () => {
    expect(await launch(['validate']).ended).toEqual([0, null]);
    expect(await launch(['validate', '--no-such-option']).ended).toEqual([2, null]);
  });

  it('hands a signal on, and ends by it', async () => {
    const { child, ended } = launch(['status']);
    const program = await waitingProgram(child);
    child.kill('SIGTERM');
    expect(await ended).toEqual([null, 'SIGTERM']);
    expect(runs(program)).toBe(false);
  });

  it('that npx started ends when npx is ended, which hands no signal on', async () => {
    const npx = spawn('sh', ['-c', `${oldNode} ${launcher} status & echo $!; wait`], {
      cwd: folder,
      stdio: ['ignore', 'pipe', 'ignore'],
      env: { ...environment(), npm_lifecycle_event: 'npx', npm_lifecycle_script: "'understudy'" },
    });
    const launched = new Promise<number>((told) => {
      npx.stdout.once('data', (line: Buffer) => told(Number(line.toString())));
    });
    await new Promise((connected) => silent.once('connection', connected));
    const pid = await launched;
    expect(runs(pid)).toBe(true);
    npx.kill('SIGTERM');
    for (const until = Date.now() + 8000; runs(pid) && Date.now() < until;) await delay(50);
    expect(runs(pid)).toBe(false);
  });

  it('that is killed takes the program with it', async () => {
    const { child, ended } = launch(['status']);
    const program = await waitingProgram(child);
    expect(runs(program)).toBe(true);
    child.kill('SIGKILL');
    expect(await ended).toEqual([null, 'SIGKILL']);
    for (const until = Date.now() + 5000; runs(program) && Date.now() < until;) await delay(50);
    expect(runs(program)).toBe(false);
  });
});
