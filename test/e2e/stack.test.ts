/**
 * The embedded stack and the demo as processes: started twice they are there once, and when they end nothing of them
 * runs on.
 */
import { mkdir, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readState } from '../../src/stack/state.ts';
import { isRunning } from '../../src/stack/processes.ts';
import { Running, waitFor } from './processes.ts';
import { program, root } from './set-up.ts';

let folder: string;
let started: Running[];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'understudy-stack-'));
  await mkdir(join(folder, 'home'));
  started = [];
});
afterEach(async () => {
  await Promise.all(started.map((each) => each.kill('SIGKILL')));
  for (const home of [join(folder, 'stack'), join(folder, 'demo', 'stack')])
    await understudy('stack', 'down', '--folder', home).ended;
  await rm(folder, { recursive: true, force: true });
});

function start(file: string, ...args: string[]): Running {
  const running = new Running(file, args, {
    folder: join(folder, 'home'),
    environment: { PATH: process.env.PATH ?? '', NO_COLOR: '1' },
    log: join(folder, 'log'),
  });
  started.push(running);
  return running;
}

function understudy(...args: string[]): Running {
  return start(program, ...args);
}

/** Processes whose command line names the folder. */
async function processesOf(place: string): Promise<string[]> {
  const found: string[] = [];
  for (const pid of (await readdir('/proc')).filter((name) => /^\d+$/.test(name))) {
    const line = await readFile(join('/proc', pid, 'cmdline'), 'utf8').catch(() => '');
    if (line.includes(place)) found.push(line.replaceAll('\0', ' '));
  }
  return found;
}

describe.skipIf(process.platform !== 'linux')('the embedded stack', () => {
  it('is used again when it is up, and gone when it is down', async () => {
    const home = join(folder, 'stack');
    const first = understudy('stack', 'up', '--folder', home);
    expect(await first.ended, first.output).toBe(0);
    const up = await readState(home);
    expect(up?.processes.every(isRunning)).toBe(true);
    expect(await processesOf(home)).not.toEqual([]);

    const second = understudy('stack', 'up', '--folder', home);
    expect(await second.ended, second.output).toBe(0);
    expect(second.output).toContain('runs already');
    expect(await readState(home)).toEqual(up);

    const down = understudy('stack', 'down', '--folder', home);
    expect(await down.ended, down.output).toBe(0);
    expect(await processesOf(home)).toEqual([]);
    const again = understudy('stack', 'down', '--folder', home);
    expect(await again.ended).toBe(0);
    expect(again.output).toContain('no stack was up');
  });

  it.each(['while the stack starts', 'while workers run'])('ends with the demo, by Ctrl-C %s', async (moment) => {
    const demo = start(join(root, 'examples', 'demo.ts'), '--folder', join(folder, 'demo'));
    if (moment === 'while workers run') await demo.says('understudy.mjs worker --host', 120);
    else
      await waitFor(
        'a process of the stack',
        async () => (await processesOf(join(folder, 'demo', 'stack'))).length > 1,
      );
    process.kill(demo.pid, 'SIGINT');
    expect(await demo.ended, demo.output).toBe(130);
    await waitFor('all of them to be gone', async () => (await processesOf(folder)).length === 0, 20);
  });
});
