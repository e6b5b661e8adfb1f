/** What all commands share: the topology option, an example in every help, connected sessions. */
import type { Client } from '@temporalio/client';
import { Command } from 'commander';
import { connectTemporal } from '../client/connect.ts';
import { openSession, type Session } from '../operations/session.ts';

export function command(name: string, description: string, example: string): Command {
  return new Command(name)
    .description(description)
    .addHelpText('after', `\nExample:\n  ${example.split('\n').join('\n  ')}`);
}

export function topologyFile(of: Command): string {
  return of.optsWithGlobals<{ topology: string }>().topology;
}

export function session(of: Command): Promise<Session> {
  return openSession(topologyFile(of));
}

/** Connects, runs `work`, and closes the connection whatever happens. */
export async function withTemporal<T>(work: (client: Client) => Promise<T>): Promise<T> {
  const client = await connectTemporal();
  try {
    return await work(client);
  } finally {
    await client.connection.close();
  }
}
