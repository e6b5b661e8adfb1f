/** What a person can do to a run that runs: pause it, let it go on, cancel it (with undo). */
import type { Command } from 'commander';
import { userInfo } from 'node:os';
import { findRunning } from '../../client/runs.ts';
import { loadTopology } from '../../bundle/make-bundle.ts';
import { UnderstudyError } from '../../errors/error.ts';
import { undoFailedMove } from '../../operations/start-operation.ts';
import { command, session, topologyFile, withTemporal } from '../command.ts';
import { seeThrough } from '../see-through.ts';

export function steerCommands(): Command[] {
  return [
    steer('pause', 'no new step of the running failover starts', async (handle, who) => {
      await handle.signal('pause', who);
      return 'paused: what runs goes on to its end; "understudy resume" lets the rest start';
    }),
    steer('resume', 'let a paused failover go on', async (handle, who) => {
      await handle.signal('resume', who);
      return 'resumed';
    }),
    cancelCommand(),
  ];
}

/** A run that has failed is cancelled too: half a move is neither here nor there. */
function cancelCommand(): Command {
  return command(
    'cancel',
    'cancel the failover that runs, or the last one if it has failed, and undo what can be undone',
    'understudy cancel',
  )
    .option('--replication', 'end the recovery point that is being taken; what was copied stays')
    .action(async (options: { replication?: boolean }, self: Command) => {
      const { topology } = await loadTopology(topologyFile(self));
      const operation = options.replication === true ? 'replicate' : 'failover';
      await withTemporal(async (client) => {
        const running = await findRunning(client, { topology: topology.name, operation });
        if (running) {
          await running.handle.cancel();
          console.log(
            `${running.runId}: cancelling: what can be undone is undone; watch it with "understudy status --watch"`,
          );
          return;
        }
        if (operation === 'replicate')
          throw new UnderstudyError(
            'PreconditionError',
            `no recovery point of "${topology.name}" is being taken`,
          );
        const opened = await session(self);
        await seeThrough(opened, async () => {
          const run = await undoFailedMove(opened, client);
          console.log(`${run.runId} has failed: what it has done is undone, as far as it can be`);
          return run;
        });
      });
    });
}

type Handle = NonNullable<Awaited<ReturnType<typeof findRunning>>>['handle'];

function steer(
  name: string,
  description: string,
  act: (handle: Handle, who: string) => Promise<string>,
): Command {
  return command(name, description, `understudy ${name}`).action(async (_options: object, self: Command) => {
    const { topology } = await loadTopology(topologyFile(self));
    await withTemporal(async (client) => {
      const running = await findRunning(client, { topology: topology.name, operation: 'failover' });
      if (!running)
        throw new UnderstudyError(
          'PreconditionError',
          `no run moves "${topology.name}" now: there is nothing to ${name}`,
          { next: 'See what runs with "understudy status".' },
        );
      console.log(`${running.runId}: ${await act(running.handle, userInfo().username)}`);
    });
  });
}
