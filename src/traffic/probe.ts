/** Probes: requests to an address that must answer as declared. They are retried until they do or their time is up. */
import { createHash } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { UnderstudyError, messageOf } from '../errors/error.ts';
import { mapBounded } from '../run/work/bounded.ts';
import type { StepResult } from '../run/work/outcome.ts';
import type { StepContext } from '../run/work/step-context.ts';
import { toSeconds } from '../topology/duration.ts';

/** A request, and the status that it must get. */
export interface HttpProbe {
  url: string;
  method: string;
  body?: string;
  headers?: Record<string, string>;
  expect: number;
}

/** The answer to a probe. */
export interface ProbeAnswer {
  status: number;
  milliseconds: number;
  /** sha256 of the body: evidence without its content. */
  bodyDigest: string;
}

/** Sends one request. Throws if there is no answer within `timeoutMs`. */
export async function sendProbe(probe: HttpProbe, timeoutMs: number, signal: AbortSignal): Promise<ProbeAnswer> {
  const began = performance.now();
  const response = await fetch(probe.url, {
    method: probe.method,
    signal: AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]),
    ...(probe.headers ? { headers: probe.headers } : {}),
    ...(probe.body === undefined ? {} : { body: probe.body }),
  });
  const body = Buffer.from(await response.arrayBuffer());
  return {
    status: response.status,
    milliseconds: Math.round(performance.now() - began),
    bodyDigest: createHash('sha256').update(body).digest('hex'),
  };
}

/**
 * Retries until the probe passes.
 * Errors: PreconditionError after the policy `probeDeadline`, with the last answer.
 */
export async function probeUntilPassing(context: StepContext, probe: HttpProbe, name: string): Promise<ProbeAnswer> {
  const { policies } = context.topology;
  const deadline = context.now().getTime() + toSeconds(policies.probeDeadline) * 1000;
  let last = '';
  for (let attempt = 1; ; attempt++) {
    try {
      const answer = await sendProbe(probe, toSeconds(policies.requestTimeout) * 1000, context.signal);
      if (answer.status === probe.expect) return answer;
      last = `got ${answer.status}`;
    } catch (error) {
      if (context.signal.aborted) throw error;
      last = `no answer (${messageOf((error as Error).cause ?? error)})`;
    }
    if (context.now().getTime() > deadline) {
      throw new UnderstudyError(
        'PreconditionError',
        `probe ${name}: expected ${probe.expect}, ${last}, ${attempt} times`,
        {
          place: probe.url,
          next: `Look at what answers there, then "understudy retry ${context.run.runId}".`,
        },
      );
    }
    await context.checkpoint({ unit: `probes of ${name}: ${last}`, done: attempt });
    await delay(Math.min(250 * attempt, 5000), undefined, { signal: context.signal });
  }
}

/** Uses the public addresses, as clients do. Probes run concurrently, so that each has the policy's full time. */
export async function probePublicAddress(context: StepContext): Promise<StepResult> {
  const probes = context.topology.probes.filter((probe) => probe.class === context.step.class);
  const answers = await mapBounded(probes, probes.length, async (probe) => {
    const answer = await probeUntilPassing(
      context,
      {
        url: probe.http,
        method: probe.method,
        expect: probe.expect,
        ...(probe.body === undefined
          ? {}
          : { body: JSON.stringify(probe.body), headers: { 'content-type': 'application/json' } }),
      },
      probe.http,
    );
    return { url: probe.http, ...answer };
  });
  const slowest = Math.max(...answers.map((answer) => answer.milliseconds));
  return {
    state: 'completed',
    detail: `${answers.map((answer) => `${answer.url}: ${answer.status}`).join('; ')} (slowest ${slowest} ms)`,
    counts: [{ kind: 'probes', expected: probes.length, done: answers.length, skipped: [], failed: [] }],
  };
}
