/**
 * Scenarios of the embedded local Azure through its admin API: list, start, stop. They show what an operation does when
 * Azure fails. No operation uses them.
 */
import { resolve } from 'node:path';
import { z } from 'zod';
import { UnderstudyError, messageOf } from '../errors/error.ts';
import { askAzureProgram } from './azure-program.ts';
import { readState } from './state.ts';

/** A scenario that can be started. */
export const Scenario = z.object({
  name: z.string(),
  summary: z.string(),
  scope: z.enum(['region', 'cloud']),
  parameters: z.array(
    z.object({
      name: z.string(),
      kind: z.string(),
      about: z.string(),
      default: z.string(),
      options: z.array(z.string()).optional(),
    }),
  ),
});
export type Scenario = z.infer<typeof Scenario>;

/** A scenario that is running. */
export const Running = z.object({
  name: z.string(),
  /** Null for the whole cloud. */
  region: z.string().nullable(),
  parameters: z.record(z.string(), z.union([z.string(), z.number()])),
  seed: z.number(),
  startedAt: z.string(),
  /** Null if it runs until it is stopped. */
  endsAt: z.string().nullable(),
});
export type Running = z.infer<typeof Running>;

const Refusal = z.object({ error: z.object({ message: z.string() }) });

/** How long to wait for an answer of a local Azure that is up, in milliseconds. */
const answerMs = 10_000;

/** How to start a scenario. */
export interface ChaosStart {
  region?: string | undefined;
  /** By name, as a person types them. */
  parameters: Record<string, string>;
  seed?: number | undefined;
  /** Example: '60s'. Undefined: until it is stopped. */
  for?: string | undefined;
}

/** Starts and stops scenarios. */
export interface Chaos {
  running(): Promise<Running[]>;
  /**
   * Starts a scenario.
   * Errors: UsageError, which lists the scenarios; nothing was changed.
   */
  start(name: string, how: ChaosStart): Promise<Running>;
  /** Stops scenarios: all of them if no name is given. Returns what was stopped. */
  stop(name?: string, region?: string): Promise<Running[]>;
}

/** Returns all scenarios, whether a stack is up or not. */
export async function listScenarios(): Promise<Scenario[]> {
  return z.array(Scenario).parse(JSON.parse(await askAzureProgram('--scenarios')));
}

/**
 * Opens the scenarios of the stack in this folder.
 * Errors: UsageError if none is up there.
 */
export async function openChaos(folder: string): Promise<Chaos> {
  const state = await readState(resolve(folder));
  const admin = state?.cloud?.admin;
  if (admin === undefined)
    throw new UnderstudyError('UsageError', `no stack is up in "${folder}"`, {
      next: `Start it: understudy stack up --folder "${folder}"; or name its folder: --folder.`,
    });
  return {
    async running() {
      return z.object({ running: z.array(Running) }).parse(await ask(admin, 'GET', '/chaos')).running;
    },
    async start(name, how) {
      return Running.parse(await ask(admin, 'POST', `/chaos/${encodeURIComponent(name)}`, how));
    },
    async stop(name, region) {
      const place = name === undefined ? '/chaos' : `/chaos/${encodeURIComponent(name)}`;
      const where = region === undefined ? '' : `?region=${encodeURIComponent(region)}`;
      const answer = await ask(admin, 'DELETE', place + where);
      return z.object({ stopped: z.array(Running) }).parse(answer).stopped;
    },
  };
}

async function ask(admin: string, method: string, path: string, body?: object): Promise<unknown> {
  let status: number;
  let answer: unknown;
  try {
    const response = await fetch(admin + path, {
      method,
      signal: AbortSignal.timeout(answerMs),
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    status = response.status;
    answer = await response.json();
  } catch (error) {
    throw new UnderstudyError(
      'AzureUnavailable',
      `the local Azure's admin API does not answer at ${admin}: ${messageOf(error)}`,
      { next: 'Take the stack up again: understudy stack up.' },
    );
  }
  if (status < 400) return answer;
  const refusal = Refusal.safeParse(answer);
  const why = refusal.success ? refusal.data.error.message : `HTTP ${status}`;
  throw new UnderstudyError(status < 500 ? 'UsageError' : 'AzureUnavailable', why, {
    next: 'See what there is: understudy chaos list.',
  });
}
