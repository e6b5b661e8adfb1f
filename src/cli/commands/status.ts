/** `status` prints the state of a topology; its exit code says how bad that is. */
import type { Command } from 'commander';
import type { Client } from '@temporalio/client';
import { StatusDocument, type Status } from '../../operations/documents/status.ts';
import type { CheckState, Health } from '../../operations/health.ts';
import { attachAny } from '../../operations/runs/open-run.ts';
import type { Session } from '../../operations/session.ts';
import { readStatus } from '../../operations/status.ts';
import { worstOf } from '../../operations/status-shape.ts';
import { requireCompleted, type Watched } from '../../operations/runs/watch-run.ts';
import { describeRun } from '../../run/describe-run.ts';
import { showCount } from '../../topology/figures.ts';
import { showDuration } from '../../topology/duration.ts';
import { showWeights } from '../../topology/pointer.ts';
import { showThing } from '../../workspace/sharing.ts';
import { command, session, statusExitCodes, tryTemporal } from '../command.ts';
import { interruptible } from '../interrupt.ts';
import { failureOf, shows, type Output } from '../output.ts';
import type { Paint } from '../view/colour.ts';
import { showRun } from '../watch.ts';

/** `understudy status`: its exit code says how bad the worst finding is. */
export function statusCommand(): Command {
  const of = command(
    'status',
    'show which region writes and serves, what a failover could restore, open runs, debts and problems',
    'understudy status\nunderstudy status --output json',
  ).option('-w, --watch', 'watch the current run until it ends');
  return shows(of, StatusDocument, async (output, options: { watch?: boolean }, self: Command) => {
    const opened = await session(self);
    const client = await tryTemporal('Reading the journal alone.');
    try {
      const status = await readStatus(opened, client);
      if (!output.json) for (const line of linesOf(status, output.paint)) output.say(line);
      const watched = options.watch === true && client ? await watchFirst(output, opened, client) : undefined;
      if (watched) return { document: { ...status, watched }, ...failureOf(() => requireCompleted(watched)) };
      const worst = worstOf(status);
      return { document: status, exitCode: worst === undefined ? 0 : statusExitCodes[worst] };
    } finally {
      await client?.connection.close();
    }
  });
}

/** Watches what runs; a move before a replication. Undefined: nothing runs. */
async function watchFirst(output: Output, opened: Session, client: Client): Promise<Watched | undefined> {
  const running = await attachAny(opened, client);
  return running && interruptible((leaving) => showRun(output, opened, running, leaving));
}

function linesOf(status: Status, paint: Paint): string[] {
  const { epoch, serving, writer, recoveryPoint: newest } = status;
  const lines = [
    `topology  ${status.topology}`,
    writer === undefined
      ? 'writer    unknown: the region pointer is missing'
      : `writer    ${writer} (epoch ${epoch ?? 'none yet'})`,
    `serving   ${
      serving
        ? Object.entries(serving)
            .map(([unit, weights]) => `${unit} ${showWeights(weights)}`)
            .join(', ')
        : writer === undefined
          ? 'unknown'
          : `${writer}, as declared`
    }`,
    ...status.regions.map((health) => `${health.region.padEnd(9)} ${showHealth(health, paint)}`),
    newest
      ? `recovery  ${newest.ref.id}: ${showDuration(Date.now() - Date.parse(newest.ref.startedAt))} old; ${showCount(newest.blobs, 'blob')}, ${(newest.bytes / 1e6).toFixed(1)} MB`
      : `recovery  none${writer === undefined ? ' is looked for without it' : ` of ${writer}`}`,
  ];
  const { protected: isProtected, missing } = status.protection;
  lines.push(`protected ${isProtected ? paint.green('yes') : `${paint.yellow('no')}: ${missing.join('; ')}`}`);
  for (const each of status.sharing.things) lines.push(`shared    ${showThing(each)}`);
  if (status.unsealed > 0)
    lines.push(`unsealed  ${status.unsealed} of the newest recovery points were begun and not sealed`);
  if (status.runs.length === 0) lines.push('running   nothing');
  // A run that a finding describes is not listed again.
  const told = new Set(status.findings.map(({ run }) => run));
  for (const run of status.runs) {
    if (!told.has(run.runId)) lines.push(`running   ${describeRun(run)}`);
    for (const waits of run.waits ?? []) lines.push(`          ${waits}`);
  }
  if (status.registered)
    lines.push(
      `registered ${status.registered.bundle.slice(0, 12)}, ${showDuration(Date.now() - Date.parse(status.registered.at))} ago by ${status.registered.by}`,
    );
  for (const { severity, kind = severity, what, next } of status.findings) {
    const alarming = severity === 'critical' ? paint.red : paint.yellow;
    lines.push(`${alarming(kind.toUpperCase().padEnd(9))} ${what}`);
    if (next !== undefined) lines.push(`          → ${next}`);
  }
  return lines;
}

/** What is not as it should be; failed checks first. */
function showHealth({ state, checks }: Health, paint: Paint): string {
  if (state === 'healthy') return paint.green(state);
  const say = (wanted: CheckState, word: string) =>
    checks.filter((each) => each.state === wanted).map(({ what, detail }) => `${what} ${word}: ${detail}`);
  const shown = state === 'unhealthy' ? paint.red(state) : paint.yellow(state);
  return `${shown}: ${[...say('failed', 'FAILED'), ...say('unknown', 'unknown')].join('; ')}`;
}
