/** Processes that outlive their starter, and are ended only while they are still ours. */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { isRunning, start, stop, type Started } from '../../src/stack/processes.ts';

let folder: string;
const started: Started[] = [];
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'understudy-processes-'));
});
afterEach(async () => {
  await Promise.all(started.splice(0).map((each) => stop(each, 0)));
  await rm(folder, { recursive: true, force: true });
});

async function run(script: string, environment: NodeJS.ProcessEnv = {}): Promise<Started> {
  const log = join(folder, 'log');
  const one = start({ name: 'test', command: process.execPath, args: ['-e', script], environment, log });
  started.push(one);
  await vi.waitFor(async () => expect(await readFile(log, 'utf8')).toContain('ready'), { timeout: 10_000 });
  return one;
}

describe('a process', () => {
  it('runs, with its output in a file and its environment added, until it is stopped', async () => {
    const one = await run('console.log("ready", process.env.NAME); setInterval(() => {}, 1000)', {
      NAME: 'fraud',
    });
    expect(await readFile(join(folder, 'log'), 'utf8')).toBe('ready fraud\n');
    expect(isRunning(one)).toBe(true);
    await stop(one);
    expect(isRunning(one)).toBe(false);
    await stop(one); // twice is once
  });

  it('is asked first, so that it can put its things away', async () => {
    const left = join(folder, 'left');
    const one = await run(
      `process.on('SIGTERM', () => { require('fs').writeFileSync(${JSON.stringify(left)}, 'tidy'); process.exit() });
       console.log('ready'); setInterval(() => {}, 1000)`,
    );
    await stop(one);
    expect(await readFile(left, 'utf8')).toBe('tidy');
  });

  it('that will not end is made to, and is gone when stop says so', async () => {
    const one = await run(`process.on('SIGTERM', () => {}); console.log('ready'); setInterval(() => {}, 1000)`);
    await stop(one, 100);
    expect(isRunning(one)).toBe(false);
  });

  it('that ended by itself is not running', async () => {
    const one = await run('console.log("ready")');
    await vi.waitFor(() => expect(isRunning(one)).toBe(false), { timeout: 10_000 });
  });

  it('with the same number but another start is not ours, and is left alone', async () => {
    const one = await run('console.log("ready"); setInterval(() => {}, 1000)');
    const before = { ...one, mark: '1' };
    expect(isRunning(before)).toBe(false);
    await stop(before);
    expect(isRunning(one)).toBe(true);
  });

  it('of a command that is not there says so, and does not end ours', async () => {
    expect(() =>
      start({ name: 'temporal', command: join(folder, 'nothing'), args: [], log: join(folder, 'log') }),
    ).toThrow(`temporal could not be started: ${join(folder, 'nothing')}`);
  });
});
