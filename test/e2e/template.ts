/**
 * Where the set-up that all scenes begin with is kept for the time of a test run: made by the first scene that needs
 * it.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';

declare module 'vitest' {
  export interface ProvidedContext {
    /** A folder of the test run. */
    e2eFolder: string;
  }
}

/** Vitest's global setup. */
export default async function template(project: TestProject): Promise<() => Promise<void>> {
  const folder = await mkdtemp(join(tmpdir(), 'understudy-e2e-'));
  project.provide('e2eFolder', folder);
  return async () => {
    if (!process.env.E2E_KEEP) await rm(folder, { recursive: true, force: true });
  };
}
