/** What a person can do to an open run: pause it, continue it, cancel it (with undo). */
import type { Command } from 'commander';
import { UnderstudyError, isUnderstudyError, messageOf } from '../../errors/error.ts';
import { cancelRun, carryOutCancel, requireCancelled } from '../../operations/runs/cancel-run.ts';
import { CancelOutcome, PauseOutcome, type RunOutcome } from '../../operations/documents/run.ts';
import { requireOpen } from '../../operations/runs/open-run.ts';
import { pauseRun } from '../../operations/runs/pause-run.ts';
import type { Session } from '../../operations/session.ts';
import type { RunDocument } from '../../run/run-document.ts';
import { command, session, withTemporal } from '../command.ts';
import { shows, type Output, type Shown } from '../output.ts';
import { seeThrough } from '../see-through.ts';

/** `understudy pause`, `unpause` and `cancel`. */
export function steerCommands(): Command[] {
  return [
    steer('pause', 'pause the open move: running steps finish, no new ones start', true),
    steer('unpause', 'continue a paused move', false).alias('resume'),
    cancelCommand(),
  ];
}

function steer(name: string, description: string, paused: boolean): Command {
  const of = command(name, description, `understudy ${name}`);
  return shows(of, PauseOutcome, async (_output, _options: object, self: Command) => {
    const opened = await session(self);
    const run = await requireOpen(opened, name);
    await withTemporal((client) => pauseRun(opened, client, run, paused));
    return {
      document: { runId: run.runId, paused },
      text: paused
        ? `${run.runId}: paused: running steps finish; "understudy unpause" starts the rest`
        : `${run.runId}: continues`,
    };
  });
}

/** A run that has failed can be cancelled too: it may have moved half of the workspace. */
function cancelCommand(): Command {
  const cancel = command(
    'cancel',
    'cancel the open move, running or failed, and undo what can be undone',
    'understudy cancel\nunderstudy cancel 20261121T030000Z-failover-3f9a',
  )
    .argument('[run]', 'the run’s id; default: the open move')
    .option('--replication', 'cancel the running replication instead; copied data stays');
  return shows(
    cancel,
    CancelOutcome,
    async (output, runId: string | undefined, options: { replication?: boolean }, self: Command) => {
      const opened = await session(self);
      const { run, alreadyOver } = await cancelRun(opened, { runId, replication: options.replication === true });
      return alreadyOver ? nothingToCancel(run) : carryOut(output, opened, run);
    },
  );
}

function nothingToCancel({ runId, cancelled, endedAt, stateReason }: RunDocument) {
  const by = cancelled ? ` by ${cancelled.by}` : '';
  const how = [stateReason, endedAt].filter((each) => each !== undefined).join(', ');
  return {
    document: {
      runId,
      state: 'already cancelled' as const,
      ...(cancelled ? { cancelled } : {}),
      ...(endedAt === undefined ? {} : { endedAt }),
    },
    text: `run "${runId}" is over: it was cancelled${by} (${how}); there is nothing left to cancel`,
  };
}

async function carryOut(output: Output, opened: Session, run: RunDocument): Promise<Shown<RunOutcome>> {
  output.say(`${run.runId}: the cancel is recorded: from now on the run is only undone`);
  try {
    return await withTemporal((client) =>
      seeThrough(
        output,
        opened,
        () => carryOutCancel(opened, client, run),
        (watched) => requireCancelled(run, watched),
      ),
    );
  } catch (error) {
    if (!isUnderstudyError(error, 'TemporalError')) throw error;
    throw new UnderstudyError('TemporalError', messageOf(error), {
      next:
        'The cancel is recorded, but nothing undoes the run yet. ' +
        `As soon as Temporal is up: understudy retry ${run.runId}.`,
      cause: error,
    });
  }
}
