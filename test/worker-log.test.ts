/** What a worker's log leaves out. */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { expect, it } from 'vitest';
import { workerLogger } from '../src/worker-log.ts';

it('does not warn of a worker that has no workflows on purpose, and of all else it does', () => {
  const sdk = createRequire(import.meta.url).resolve('@temporalio/worker/lib/worker.js');
  const [, warning] = /logger\.warn\('(No workflows [^']+)'\)/.exec(readFileSync(sdk, 'utf8')) ?? [];
  expect(warning).toBeDefined();
  const lines: string[] = [];
  const logger = workerLogger((line) => lines.push(line));
  logger.warn(warning ?? '');
  logger.warn('Activity failed');
  expect(lines).toEqual([expect.stringMatching(/ WARN {1,2}Activity failed$/)]);
});
