/** The local Azure as a program, killed while a job of it runs: what is left behind ends when it starts again. */

import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it, vi } from 'vitest';
import {
  beganAt,
  endFormerGroup,
  startProcess,
} from '../../../simulator/machinelearning/execution/command/job-process.ts';
import { lifeOf, withLife } from '../../../simulator/machinelearning/job-life/job-life.ts';
import { ExecutingWorkspace, isAlive } from './executing.ts';

const folders: string[] = [];
const children: ChildProcess[] = [];
afterEach(() => {
  for (const child of children.splice(0)) if (child.pid !== undefined && child.exitCode === null) child.kill('SIGKILL');
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

function folder(): string {
  const made = mkdtempSync(join(tmpdir(), 'left-behind-'));
  folders.push(made);
  return made;
}

/** A process that starts a job's process as the local Azure does, tells of it, and is then killed. */
async function leftBehind(command: string): Promise<{ pid: number; began: string }> {
  const module = fileURLToPath(
    new URL('../../../simulator/machinelearning/execution/command/job-process.ts', import.meta.url),
  );
  const at = folder();
  const script = `const { startProcess, beganAt } = await import(${JSON.stringify(module)});
    const { pid } = startProcess({ command: ${JSON.stringify(command)}, cwd: ${JSON.stringify(at)}, environment: { PATH: process.env.PATH }, log: ${JSON.stringify(join(at, 'log'))} });
    console.log(JSON.stringify({ pid, began: beganAt(pid) })); setInterval(() => {}, 1000);`;
  const parent = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  children.push(parent);
  const line = await new Promise<string>((resolve) => createInterface(parent.stdout).once('line', resolve));
  const gone = new Promise((resolve) => parent.once('exit', resolve));
  parent.kill('SIGKILL');
  await gone;
  return JSON.parse(line) as { pid: number; began: string };
}

describe('a group that a former life left behind', () => {
  it('is ended whole, also when its leader is gone', async () => {
    const whole = await leftBehind('sleep 1000 & wait');
    expect(isAlive(whole.pid)).toBe(true);
    endFormerGroup(whole);
    await vi.waitFor(() => expect(isAlive(whole.pid)).toBe(false), 5000);
    const headless = await leftBehind('sleep 1000 & echo $! > child; exit 0');
    await vi.waitFor(() => expect(isAlive(headless.pid)).toBe(false), 5000);
    const child = Number(readFileSync(join(folders.at(-1) ?? '', 'child'), 'utf8'));
    expect(isAlive(child)).toBe(true);
    endFormerGroup(headless);
    await vi.waitFor(() => expect(isAlive(child)).toBe(false), 5000);
    endFormerGroup(headless); // There is none any more: nothing to do.
  });

  it('is ended when the local Azure starts again, and its job is Failed', async () => {
    const workspace = await ExecutingWorkspace.start();
    try {
      await workspace.submit('cut', {
        command: 'true',
        properties: { 'simulator.queueSeconds': '100000' },
      });
      // As the journal has it that a killed local Azure leaves.
      const { store } = workspace.azure.running.cloud;
      const job = store.get(`${workspace.id}/jobs/cut`);
      const process = await leftBehind('sleep 1000');
      if (job) store.put(withLife(job, { ...lifeOf(job), startsAt: 0, execution: { process } }));
      await workspace.azure.restart();
      await vi.waitFor(() => expect(isAlive(process.pid)).toBe(false), 5000);
      const { status, error } = (await workspace.details('cut')) as { status: string; error: unknown };
      expect([status, JSON.stringify(error)]).toEqual(['Failed', expect.stringContaining('was lost')]);
    } finally {
      await workspace.azure.close();
    }
  }, 60_000);

  it('is let alone when its number is a stranger’s now', async () => {
    const at = folder();
    const stranger = startProcess({
      command: 'sleep 1000',
      cwd: at,
      environment: { PATH: process.env.PATH ?? '' },
      log: join(at, 'log'),
    });
    children.push(stranger);
    const pid = stranger.pid ?? 0;
    endFormerGroup({ pid, began: 'another time' });
    expect(isAlive(pid)).toBe(true);
    endFormerGroup({ pid, began: beganAt(pid) ?? '' });
    await vi.waitFor(() => expect(stranger.signalCode).toBe('SIGKILL'), 5000);
  });
});
