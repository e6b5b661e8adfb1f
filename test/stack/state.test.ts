/** What `stack down` and a second `stack up` find, whatever became of the stack's own state. */
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { identify, isRunning, start, stop, type Started } from '../../src/stack/processes.ts';
import { stackDown, stackUp } from '../../src/stack/stack.ts';
import { findStrays, readState, writeState } from '../../src/stack/state.ts';

let home: string;
const started: Started[] = [];
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'understudy-stack-'));
});
afterEach(async () => {
  await Promise.all(started.splice(0).map((each) => stop(each, 0)));
  await rm(home, { recursive: true, force: true });
});

/** A process with the arguments of the stack's local Azure. */
function azureOf(folder: string): Started {
  const args = ['-e', 'setInterval(() => {}, 1000)', '--', '--state', join(folder, 'azure')];
  const one = start({ name: 'azure', command: process.execPath, args, log: join(home, 'azure.log') });
  started.push(one);
  return one;
}

const say = () => undefined;

describe('the state of a stack', () => {
  it('is read back as it was written, from the first process on', async () => {
    expect(await readState(home)).toBeUndefined();
    const state = {
      starter: { name: 'stack up', pid: 1, mark: '2' },
      processes: [{ name: 'azure', pid: 3, mark: '4' }],
    };
    writeState(home, state);
    expect(await readState(home)).toEqual(state);
    expect(await readdir(home)).toEqual(['stack.json']);
  });

  it.each(['{"proc', '{}', '[]', '{"processes": [{"name": "azure", "pid": -1, "mark": ""}]}'])(
    'that is broken (%s) is refused by up, and says how to go on',
    async (text) => {
      await writeFile(join(home, 'stack.json'), text);
      await expect(stackUp({ folder: home, say })).rejects.toMatchObject({
        code: 'UsageError',
        message: expect.stringContaining(join(home, 'stack.json')),
        details: { next: expect.stringContaining('stack down') },
      });
    },
  );

  it('belongs to the one that starts it: a second is refused while that one runs', async () => {
    const other = azureOf(join(home, 'elsewhere'));
    writeState(home, { starter: other, processes: [] });
    await expect(stackUp({ folder: home, say })).rejects.toThrow(`is being started already, by process ${other.pid}`);
  });
});

describe('stack down', () => {
  it('ends what was started although the start was cut short', async () => {
    const one = azureOf(join(home, 'elsewhere'));
    writeState(home, {
      starter: { name: 'stack up', pid: one.pid, mark: 'of an earlier process' },
      processes: [one],
    });
    expect(await stackDown(home)).toEqual({ ended: true, left: [] });
    expect(isRunning(one)).toBe(false);
    expect(await readState(home)).toBeUndefined();
  });

  it.each(['lost', 'broken'])('finds the processes of the folder where its state is %s', async (how) => {
    const one = azureOf(home);
    const other = azureOf(`${home}-other`);
    if (how === 'broken') await writeFile(join(home, 'stack.json'), '{"proc');
    await vi.waitFor(async () => expect((await findStrays(home)).map(({ pid }) => pid)).toEqual([one.pid]));
    expect(await stackDown(home)).toEqual({ ended: true, left: [] });
    expect([isRunning(one), isRunning(other)]).toEqual([false, true]);
    expect(await stackDown(home)).toEqual({ ended: false, left: [] });
  });

  it('leaves a process alone that merely has the pid of one of its own', async () => {
    writeState(home, { processes: [{ name: 'azure', pid: process.pid, mark: 'of an earlier process' }] });
    await stackDown(home);
    expect(identify('this test', process.pid)).toHaveLength(1);
  });

  it('removes with --purge what a stack put there, and nothing else', async () => {
    await mkdir(join(home, 'azure', 'azurite'), { recursive: true });
    for (const name of [
      'env',
      'clients.env',
      'az',
      'temporal.db',
      'temporal.db-wal',
      'azure.log',
      'temporal-ports.json',
      'thesis.txt',
    ])
      await writeFile(join(home, name), '');
    expect(await stackDown(home, { purge: true })).toEqual({ ended: false, left: ['thesis.txt'] });
    expect(await readdir(home)).toEqual(['thesis.txt']);
    await rm(join(home, 'thesis.txt'));
    await stackDown(home, { purge: true });
    await expect(readdir(home)).rejects.toThrow('ENOENT');
    expect(await stackDown(home, { purge: true })).toEqual({ ended: false, left: [] });
  });
});

describe('stack up', () => {
  it('refuses a folder that is none', async () => {
    const file = join(home, 'file');
    await writeFile(file, '');
    await expect(stackUp({ folder: file, say })).rejects.toMatchObject({
      code: 'UsageError',
      message: expect.stringContaining(`cannot use "${file}" as the stack's folder`),
    });
  });
});
