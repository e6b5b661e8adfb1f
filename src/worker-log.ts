/**
 * What a worker says while it works: a line for each failed attempt, with its run and its step, and for what
 * Temporal's core reports.
 */
import { SdkComponent } from '@temporalio/common';
import { DefaultLogger, type ActivityInterceptorsFactory, type LogEntry, type Logger } from '@temporalio/worker';
import { messageOf } from './errors/error.ts';
import type { EndOfRun } from './run/end-run.ts';
import type { RunExecution, StepRequest } from './run/reference.ts';

/** While Temporal is away each of its pollers complains at each attempt: this often is enough. */
const repeatMs = 60_000;

/** What the SDK warns of in a worker that has no workflows on purpose: a host's. */
const withoutWorkflows = 'No workflows registered, not polling for workflow tasks';

/** Warnings and errors, a line each, passed to `write`. */
export function workerLogger(write: (line: string) => void): Logger {
  const said = new Map<string, number>();
  return new DefaultLogger('WARN', (entry) => {
    if (entry.message === withoutWorkflows) return;
    if (entry.meta?.['sdkComponent'] === SdkComponent.core) {
      const same = entry.message.replaceAll(/\d+/g, '');
      const now = performance.now();
      if (now - (said.get(same) ?? -Infinity) < repeatMs) return;
      said.set(same, now);
    }
    write(lineOf(entry));
  });
}

/**
 * One line, whatever is in it: `2026-11-21T03:02:11.000Z WARN run 2026-…, step restore/data/restoreBlobs,
 * attempt 3: Activity failed: AzureUnavailable: …`
 */
function lineOf({ level, message, timestampNanos, meta = {} }: LogEntry): string {
  const at = new Date(Number(timestampNanos / 1_000_000n)).toISOString();
  const { run, step, attempt, error } = meta as Partial<About> & { error?: unknown };
  const about = Object.entries({ run, step, attempt }).flatMap(([name, value]) =>
    value === undefined ? [] : [`${name} ${value}`],
  );
  const where = about.length === 0 ? '' : ` ${about.join(', ')}:`;
  const why = error === undefined ? '' : `: ${typeOf(error)}${messageOf(error)}`;
  // Of the errors of Temporal's core the rest are structures of Rust.
  const text = `${at} ${level}${where} ${message}${why}`.replace(/, source: Some\(.*/s, ' }');
  return text.replaceAll(/\s*\n\s*/g, ' | ');
}

function typeOf(error: unknown): string {
  return error instanceof Error && 'type' in error && typeof error.type === 'string' ? `${error.type}: ` : '';
}

/** Gives what is logged of an activity the run, the step and the attempt that it works on. */
export const namesItsStep: ActivityInterceptorsFactory = ({ info }) => {
  let about: Partial<About> = {};
  return {
    inbound: {
      execute(input, next) {
        about = { ...aboutOf(input.args[0]), attempt: info.attempt };
        return next(input);
      },
    },
    outbound: { getLogAttributes: (attributes, next) => next({ ...attributes, ...about }) },
  };
};

interface About {
  run: string | undefined;
  step: string | undefined;
  attempt: number;
}

/** Of the three forms of an activity's argument. */
function aboutOf(argument: unknown): Omit<About, 'attempt'> {
  const { run, step, runId } = argument as Partial<StepRequest & EndOfRun & RunExecution>;
  return { run: run?.runId ?? runId, step };
}
