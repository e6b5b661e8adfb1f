/**
 * A Temporal server for the tests that need one, in memory and on free ports, started once per test run. Tests find it
 * by `inject('temporalAddress')`; each uses task queues and workflow ids of its own, or the namespace `hosts`.
 */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Connection } from '@temporalio/client';
import type { TestProject } from 'vitest/node';
import { searchAttributes } from '../src/plan/search-attributes.ts';
import { isRunning, start, stop, type Started } from '../src/stack/processes.ts';
import { freePort } from '../src/stack/ports.ts';
import { findTemporal } from '../src/stack/temporal-server.ts';

declare module 'vitest' {
  export interface ProvidedContext {
    /** `127.0.0.1:port`. */
    temporalAddress: string;
  }
}

const startSeconds = 60;

/** Vitest's global setup: answers what stops the server again. */
export default async function temporal(project: TestProject): Promise<() => Promise<void>> {
  const folder = await mkdtemp(join(tmpdir(), 'understudy-temporal-'));
  const [port, uiPort, metricsPort] = [await freePort(), await freePort(), await freePort()];
  const log = join(folder, 'temporal.log');
  const server = start({
    name: 'temporal',
    command: await findTemporal((line) => void process.stderr.write(`${line}\n`)),
    args: [
      ['server', 'start-dev', '--ip', '127.0.0.1', '--port', String(port), '--ui-port', String(uiPort)],
      ['--namespace', 'hosts'],
      ['--metrics-port', String(metricsPort), '--log-level', 'error'],
      ...Object.values(searchAttributes).map((name) => ['--search-attribute', `${name}=Keyword`]),
    ].flat(),
    log,
  });
  const end = async () => {
    await stop(server);
    await rm(folder, { recursive: true, force: true });
  };
  try {
    await answers(`127.0.0.1:${port}`, server, log);
  } catch (error) {
    await end();
    throw error;
  }
  project.provide('temporalAddress', `127.0.0.1:${port}`);
  return end;
}

async function answers(address: string, server: Started, log: string): Promise<void> {
  let last: unknown;
  for (const until = Date.now() + startSeconds * 1000; Date.now() < until && isRunning(server); await delay(100)) {
    try {
      const connection = await Connection.connect({ address, connectTimeout: 2000 });
      await connection.workflowService.describeNamespace({ namespace: 'default' });
      await connection.close();
      return;
    } catch (error) {
      last = error;
    }
  }
  throw new Error(`Temporal does not answer at ${address}: ${await readFile(log, 'utf8')}`, { cause: last });
}
