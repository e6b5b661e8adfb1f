/** `status`, `runs`, `report`: from Temporal where it answers, from the journal where it does not. */
import { Option, type Command } from 'commander';
import type { Client } from '@temporalio/client';
import { listRecoveryPoints } from '../../artifacts/recovery-point.ts';
import { connectTemporal } from '../../client/connect.ts';
import { findRunning } from '../../client/runs.ts';
import { peekPointer } from '../../control-store/region-pointer.ts';
import { isUnderstudyError, messageOf } from '../../errors/error.ts';
import { listDebts } from '../../fence/old-side.ts';
import { checkHealth, type CheckState, type Health } from '../../operations/health.ts';
import type { Session } from '../../operations/session.ts';
import { findFailedMove } from '../../operations/start-operation.ts';
import { renderText } from '../../report/text.ts';
import { isOver } from '../../plan/run-states.ts';
import { listRuns } from '../../run/journal.ts';
import { declaredActive } from '../../topology/sides.ts';
import { showDuration } from '../../topology/duration.ts';
import { resourceClasses } from '../../topology/words.ts';
import { command, session } from '../command.ts';
import { readReport, saveReport } from '../print-report.ts';
import { interruptible } from '../interrupt.ts';
import { conclude, watchRun } from '../watch.ts';
import { listWorkflows, type ListedRun } from '../../client/list.ts';

export function inspectCommands(): Command[] {
  return [statusCommand(), runsCommand(), reportCommand()];
}

function statusCommand(): Command {
  return command(
    'status',
    'who serves, how old the last recovery point is, what runs, what is owed',
    'understudy status',
  )
    .option('-w, --watch', 'watch the run that runs now, to its end')
    .action(async (options: { watch?: boolean }, self: Command) => {
      const opened = await session(self);
      for (const line of await statusLines(opened)) console.log(line);
      const client = await tryTemporal();
      try {
        const running = client ? await allRunning(client, opened.topology.name) : [];
        for (const { runId } of running) console.log(`running   ${runId}`);
        if (client && running.length === 0) console.log('running   nothing');
        if (!client) for (const line of await unfinishedLines(opened)) console.log(line);
        if (running.length === 0) for (const line of await failedLines(opened)) console.log(line);
        const [run] = running;
        if (options.watch !== true || !run) return;
        conclude(await interruptible((leaving) => watchRun(opened, { ...run, started: false }, leaving)));
      } finally {
        await client?.connection.close();
      }
    });
}

/** What the journal knows of runs that are not over: nobody can say whether they go on. */
async function unfinishedLines({ store }: Session): Promise<string[]> {
  const unfinished = (await listRuns(store)).filter(({ state }) => !isOver(state));
  if (unfinished.length === 0) return ['running   nothing, as far as the journal knows'];
  return unfinished.map(({ runId, state }) => `running   ${runId}: ${state}, as far as the journal knows`);
}

/** A move that has failed may have left half of the workspace on either side. */
async function failedLines(opened: Session): Promise<string[]> {
  const failed = await findFailedMove(opened);
  if (!failed) return [];
  return [
    `FAILED    ${failed.runId} (${failed.from} → ${failed.to}): ${failed.stateReason ?? 'see its report'}`,
    `          mend that and take it up again with "understudy resume-run ${failed.runId}", or undo it with "understudy cancel"`,
  ];
}

/** What runs now; a move first. */
async function allRunning(client: Client, topology: string) {
  const found = await Promise.all(
    (['failover', 'replicate'] as const).map((operation) => findRunning(client, { topology, operation })),
  );
  return found.filter((each) => each !== undefined);
}

async function statusLines(opened: Session): Promise<string[]> {
  const { store, topology } = opened;
  const pointer = (await peekPointer(store))?.value;
  const writer = pointer?.writer ?? declaredActive(topology);
  const lines = [
    `topology  ${topology.name}`,
    `writer    ${writer} (epoch ${pointer?.epoch.number ?? 'none yet: nothing has run'})`,
    `serving   ${resourceClasses.map((name) => `${name} ${pointer?.serving[name] ?? writer}`).join(', ')}`,
  ];
  for (const region of Object.keys(topology.regions)) {
    lines.push(`${region.padEnd(9)} ${showHealth(await checkHealth(opened, region))}`);
  }
  const { sealed, damaged, unsealed } = await listRecoveryPoints(store, { region: writer, limit: 1 });
  const newest = sealed[0];
  const before =
    newest && pointer && newest.epoch < pointer.epoch.number
      ? '; from before the last move: take one with "understudy replicate"'
      : '';
  lines.push(
    newest
      ? `recovery  ${newest.ref.id}: ${showDuration(Date.now() - Date.parse(newest.ref.startedAt))} old; ${newest.blobs} blobs, ${(newest.bytes / 1e6).toFixed(1)} MB${before}`
      : `recovery  none of ${writer}: nothing could be restored; take one with "understudy replicate"`,
    ...damaged.map(({ id, reason }) => `DAMAGED   ${id}: ${reason}`),
  );
  if (unsealed.length > 0)
    lines.push(`unsealed  ${unsealed.length} recovery points were begun and never sealed`);
  const debts = await listDebts(store);
  for (const { what, owedSince, reason } of debts)
    lines.push(
      `OWED      ${what}, since ${owedSince}: ${reason.replace(/^[A-Z]+ \/subscriptions\/\S+: /, '')}`,
    );
  if (debts.length > 0) lines.push('          "understudy replicate" pays it as soon as the region answers');
  return lines;
}

/** Whatever is not as it should be, what failed first. */
function showHealth({ state, checks }: Health): string {
  if (state === 'healthy') return state;
  const say = (wanted: CheckState, word: string) =>
    checks.filter((each) => each.state === wanted).map(({ what, detail }) => `${what} ${word}: ${detail}`);
  return `${state}: ${[...say('failed', 'FAILED'), ...say('unknown', 'unknown')].join('; ')}`;
}

async function rowsFrom(client: Client, topology: string): Promise<ListedRun[]> {
  try {
    return await listWorkflows(client, topology);
  } finally {
    await client.connection.close();
  }
}

function runsCommand(): Command {
  return command('runs', 'list the runs of this topology, newest first', 'understudy runs --output json')
    .addOption(new Option('--output <form>', 'how to print them').choices(['text', 'json']).default('text'))
    .option('--journal', 'read the journal in the control store, not Temporal')
    .action(async (options: { output: string; journal?: boolean }, self: Command) => {
      const opened = await session(self);
      const client = options.journal === true ? undefined : await tryTemporal();
      const rows = client
        ? await rowsFrom(client, opened.topology.name)
        : (await listRuns(opened.store)).map(
            ({ runId, operation, state, from, to, triggeredAt, endedAt }) => ({
              runId,
              operation,
              state,
              from,
              to,
              startedAt: triggeredAt,
              endedAt,
            }),
          );
      if (options.output === 'json') {
        console.log(JSON.stringify(rows, null, 2));
        return;
      }
      if (rows.length === 0) console.log('no runs yet');
      for (const run of rows) {
        const lasted =
          run.endedAt === undefined ? '' : showDuration(Date.parse(run.endedAt) - Date.parse(run.startedAt));
        console.log(
          `${run.runId.padEnd(40)} ${run.operation.padEnd(10)} ${run.state.padEnd(10)} ${run.startedAt}  ${lasted}`,
        );
      }
    });
}

function reportCommand(): Command {
  return command(
    'report',
    'print a run’s report, and write it as HTML, JSON and text',
    'understudy report 20261121T030000Z-failover-3f9a',
  )
    .argument('<run>', 'the run’s id')
    .addOption(
      new Option('--output <form>', 'how to print it').choices(['text', 'json', 'none']).default('text'),
    )
    .option('--folder <folder>', 'where to write it', 'reports')
    .action(async (runId: string, options: { output: string; folder: string }, self: Command) => {
      const opened = await session(self);
      const report = await readReport(opened, runId);
      const columns = Math.min(process.stdout.columns ?? 100, 120);
      if (options.output === 'json') console.log(JSON.stringify(report, null, 2));
      if (options.output === 'text')
        console.log(renderText(report, { columns, colour: process.stdout.isTTY && !process.env.NO_COLOR }));
      const folder = await saveReport(report, runId, options.folder);
      if (options.output !== 'json') console.log(`Report: ${folder}/report.html (also .json, .txt)`);
    });
}

/** Without Temporal the journal answers: said on the error stream, so that output stays what it is. */
async function tryTemporal(): Promise<Client | undefined> {
  try {
    return await connectTemporal(2000);
  } catch (error) {
    if (!isUnderstudyError(error, 'TemporalError')) throw error;
    console.error(`understudy: ${messageOf(error)}\n  → Reading the journal instead.`);
    return undefined;
  }
}
