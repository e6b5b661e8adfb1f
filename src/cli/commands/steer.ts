/** What a person can do to a run that runs: pause it, let it go on, cancel it (with undo). */
import type { Command } from 'commander';
import { userInfo } from 'node:os';
import { findRunning } from '../../client/runs.ts';
import { loadTopology } from '../../bundle/make-bundle.ts';
import { UnderstudyError } from '../../errors/error.ts';
import { command, topologyFile, withTemporal } from '../command.ts';

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
    steer('cancel', 'cancel the running failover and undo what can be undone', async (handle) => {
      await handle.cancel();
      return 'cancelling: what can be undone is undone; watch it with "understudy status --watch"';
    }),
  ];
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
        );
      console.log(`${running.runId}: ${await act(running.handle, userInfo().username)}`);
    });
  });
}
