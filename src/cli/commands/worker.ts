import { join } from 'node:path';
import { homedir } from 'node:os';
import type { Command } from 'commander';
import { actions, undos } from '../../actions.ts';
import { registerSearchAttributes } from '../../client/connect.ts';
import { waitForTemporal } from '../../client/wait-for-temporal.ts';
import { isUnderstudyError, messageOf, UnderstudyError } from '../../errors/error.ts';
import { WorkerState } from '../../operations/documents/worker.ts';
import { makePlan } from '../../operations/plans/plan-operation.ts';
import { azureFrom, signIn } from '../../operations/session.ts';
import { environments } from '../../run/environment.ts';
import { command } from '../command.ts';
import { shows } from '../output.ts';

/** `understudy worker`: runs until it is interrupted. */
export function workerCommand(): Command {
  const of = command(
    'worker',
    'execute runs; needs Temporal and Azure, but no topology file: each run carries its own',
    'understudy worker\nunderstudy worker --host train-01',
  ).option('--host <name>', 'only read and rewrite the config files of this host');
  return shows(of, WorkerState, async (output, { host }: { host?: string }) => {
    if (host === '') throw new UnderstudyError('UsageError', '--host: expected the name of a host, got nothing');
    await ensureSearchAttributes();
    await ensureSignIn();
    // Imported here only: the code that executes workflows is most of what the program loads, and no other command
    // needs it.
    const { makeWorker } = await import('../../worker.ts');
    const worker = await makeWorker({
      open: environments((requestTimeoutMs) => azureFrom(process.env, requestTimeoutMs)),
      makePlan,
      actions,
      undos,
      cacheDirectory: join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'understudy'),
      log: (message) => console.error(message),
      ...(host === undefined ? {} : { host }),
    });
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => stop(worker));
    output.say(host === undefined ? 'worker: ready' : `worker: ready for the files of ${host}`);
    await worker.run();
    const document = { state: 'stopped' as const, ...(host === undefined ? {} : { host }) };
    return { document, text: 'worker: stopped' };
  });
}

/** A namespace whose operator API is closed must have them already; if not, starting a run says so. */
async function ensureSearchAttributes(): Promise<void> {
  const client = await waitForTemporal({ say: (line) => console.error(line) });
  try {
    await registerSearchAttributes(client);
  } catch (error) {
    console.error(`search attributes could not be checked: ${messageOf(error)}`);
  } finally {
    await client.connection.close();
  }
}

/**
 * A credential or a certificate that is refused now will be refused in every step. An Azure that does not answer now
 * may answer by then.
 */
async function ensureSignIn(): Promise<void> {
  try {
    await signIn(process.env);
  } catch (error) {
    const passes = isUnderstudyError(error, 'AzureUnavailable') && error.details.untrusted !== true;
    if (!passes) throw error;
    console.error(`${messageOf(error)}: steps will try again`);
  }
}

/** At a second signal it is stopping already. */
function stop(worker: { getState(): string; shutdown(): void }): void {
  if (worker.getState() === 'RUNNING') worker.shutdown();
}
