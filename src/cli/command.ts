/** What all commands share: the topology option, an example in every help, exit codes, sessions. */
import type { Client } from '@temporalio/client';
import { Command } from 'commander';
import { connectTemporal } from '../client/connect.ts';
import { isUnderstudyError, messageOf } from '../errors/error.ts';
import { openSession, type Session } from '../operations/session.ts';

/** A command with the options that all commands share, and `example` in its help. */
export function command(name: string, description: string, example: string): Command {
  return new Command(name)
    .description(description)
    .addHelpText('after', `\nExample:\n  ${example.split('\n').join('\n  ')}`);
}

/** The one place that defines the exit codes. */
const exitCodes = [
  ['0', 'done', ''],
  ['1', 'failed', ': the message says what, and what to do'],
  ['2', 'bad usage or bad input', ': nothing was changed'],
  ['3', 'declined or cancelled by a person, or no longer watched', ': the message says what continues'],
  ['4', 'of status: something needs a person', ''],
  ['5', 'of status: something is broken', ': a failover now would fail, or lose more than it must'],
] as const;

/** Exit codes of `status`. `warning`: a person should see to it; `critical`: it is broken now. */
export const statusExitCodes = { warning: 4, critical: 5 } as const;

/** One per line, for the help of the program. */
export const exitCodeTable = [
  'Exit codes:',
  ...exitCodes.map(([code, what, more]) => `  ${code}  ${what}${more}`),
].join('\n');

/** In one line, for the help of one command: only the program's own `status` has codes of its own. */
export function exitCodeLine(of: Command): string {
  const isStatus = of.name() === 'status' && of.parent?.parent === null;
  const own = exitCodes.filter(([, what]) => isStatus || !what.startsWith('of status'));
  return `Exit codes: ${own.map(([code, what]) => `${code} ${what.replace('of status: ', '')}`).join('; ')}`;
}

/** The topology that the person named, or the default one. */
export function topologyFile(of: Command): string {
  return of.optsWithGlobals<{ topology: string }>().topology;
}

/** What a command works with, for the topology that it names. */
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

/**
 * Connects if Temporal answers soon. If it does not, the error stream says so, and what happens instead: standard output
 * does not change.
 */
export async function tryTemporal(instead: string): Promise<Client | undefined> {
  try {
    return await connectTemporal(2000);
  } catch (error) {
    if (!isUnderstudyError(error, 'TemporalError')) throw error;
    console.error(`understudy: ${messageOf(error)}\n  → ${instead}`);
    return undefined;
  }
}
