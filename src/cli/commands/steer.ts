/** What a person can do to an open run: pause it, let it go on, cancel it (with undo). */
import type { Command } from 'commander';
import { UnderstudyError, isUnderstudyError, messageOf } from '../../errors/error.ts';
import type { Operation } from '../../plan/operations.ts';
import { pauseRun } from '../../operations/pause.ts';
import type { Session } from '../../operations/session.ts';
import { cancelRun, carryOutCancel, findOpen } from '../../operations/start-operation.ts';
import { command, session, withTemporal } from '../command.ts';
import { seeThrough } from '../see-through.ts';

export function steerCommands(): Command[] {
  return [
    steer('pause', 'no new step of the open failover starts', true),
    steer('unpause', 'let a paused failover go on', false).alias('resume'),
    cancelCommand(),
  ];
}

function steer(name: string, description: string, paused: boolean): Command {
  return command(name, description, `understudy ${name}`).action(async (_options: object, self: Command) => {
    const opened = await session(self);
    const run = await requireOpen(opened, 'failover', name);
    await withTemporal(async (client) => {
      await pauseRun(opened, client, run, paused);
      console.log(
        paused
          ? `${run.runId}: paused: what runs goes on to its end; "understudy unpause" lets the rest start`
          : `${run.runId}: goes on`,
      );
    });
  });
}

/** A run that has failed is cancelled too: half a move is neither here nor there. */
function cancelCommand(): Command {
  return command(
    'cancel',
    'cancel the open failover, running or failed, and undo what can be undone',
    'understudy cancel\nunderstudy cancel 20261121T030000Z-failover-3f9a',
  )
    .argument('[run]', 'the run’s id; default: the open failover')
    .option('--replication', 'end the recovery point that is being taken; what was copied stays')
    .action(async (runId: string | undefined, options: { replication?: boolean }, self: Command) => {
      const opened = await session(self);
      const operation = options.replication === true ? 'replicate' : 'failover';
      const id = runId ?? (await requireOpen(opened, operation, 'cancel')).runId;
      const run = await cancelRun(opened, id);
      console.log(`${id}: cancelled, and written down so: from now on it is only undone`);
      try {
        await withTemporal(async (client) => {
          await seeThrough(opened, () => carryOutCancel(opened, client, run), { cancelWanted: true });
        });
      } catch (error) {
        if (!isUnderstudyError(error, 'TemporalError')) throw error;
        throw new UnderstudyError('TemporalError', messageOf(error), {
          next: `The cancel is written down; nothing undoes the run yet. When a Temporal answers: understudy retry ${id}.`,
          cause: error,
        });
      }
    });
}

async function requireOpen(opened: Session, operation: Operation, what: string) {
  const run = await findOpen(opened, operation);
  if (run) return run;
  throw new UnderstudyError(
    'PreconditionError',
    operation === 'replicate'
      ? `no recovery point of "${opened.topology.name}" is being taken: there is nothing to ${what}`
      : `no move of "${opened.topology.name}" is open: there is nothing to ${what}`,
    {
      next: 'See "understudy runs". What is completed is taken back by a move the other way; a recovery point that is being taken is ended with "understudy cancel --replication".',
    },
  );
}
