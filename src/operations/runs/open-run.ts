/** The open run of a topology: finding it, attaching to it, and what it blocks. */
import { hostname, userInfo } from 'node:os';
import type { Client } from '@temporalio/client';
import { findRunning, type RunHandle } from '../../client/runs.ts';
import { UnderstudyError } from '../../errors/error.ts';
import { operationNames, rowOf, type Operation } from '../../plan/operations.ts';
import { isOver } from '../../plan/run-states.ts';
import { describeRun, howToEnd } from '../../run/describe-run.ts';
import { findNewestRun, listOpenRuns } from '../../run/journal.ts';
import { findOpenRun, type OpenRun } from '../../run/lease.ts';
import type { RunReference } from '../../run/reference.ts';
import type { RunDocument } from '../../run/run-document.ts';
import type { Session } from '../session.ts';

/** A run that this Temporal executes. */
export interface StartedRun {
  runId: string;
  handle: RunHandle;
  /** False: one was running already, and this is it. */
  started: boolean;
}

/**
 * Who gives a command: `user@host`, or what the variable UNDERSTUDY_USER says, where a pipeline acts for a person.
 * Nothing verifies it.
 */
export function whoAmI(environment: NodeJS.ProcessEnv = process.env): string {
  const claimed = environment['UNDERSTUDY_USER']?.trim() ?? '';
  return claimed === '' ? `${userInfo().username}@${hostname()}` : claimed;
}

/** What a workflow is started with. */
export function referenceOf(session: Session, run: Omit<RunDocument, 'state'>): RunReference {
  return {
    runId: run.runId,
    topology: run.topology,
    operation: run.operation,
    controlStore: session.topology.controlStore,
  };
}

/** The error that says what prevents another run from beginning, and how to end that. */
export function refusedBy({ runId, run }: OpenRun): UnderstudyError {
  if (!run)
    return new UnderstudyError('FencedError', `run "${runId}" is being started by somebody else`, {
      next: 'See "understudy status".',
    });
  return new UnderstudyError('FencedError', `another run is open: ${describeRun(run)}`, {
    next: howToEnd(run),
  });
}

/** The run of an operation that is open: by the run lease, or the newest that is not over. */
export async function findOpen({ store }: Session, operation: Operation): Promise<RunDocument | undefined> {
  if (rowOf(operation).lease === 'run') {
    const open = await findOpenRun(store, new Date());
    if (open && !open.run) throw refusedBy(open);
    return open?.run;
  }
  return findNewestRun(store, (run) => run.operation === operation && !isOver(run.state));
}

/** An operation of those that exclude one another by the run lease: by it, the open move is found, whichever it is. */
export const anyMove: Operation = 'failover';

/** The open move. PreconditionError if none is open; `what` is what the person wanted to do with it. */
export async function requireOpen(session: Session, what: string): Promise<RunDocument> {
  const run = await findOpen(session, anyMove);
  if (run) return run;
  throw await nothingOpen(session, anyMove, what);
}

/** The error if no run of an operation is open, with any other that is. `more`: what else is known. */
export async function nothingOpen(
  { store, topology: { name } }: Session,
  operation: Operation,
  what: string,
  more = '',
): Promise<UnderstudyError> {
  const [other] = (await listOpenRuns(store)).runs;
  const named = other ? `Open is run ${describeRun(other)}: name it, if you mean that. ` : '';
  const none = rowOf(operation).movesWriter ? `no move of "${name}" is open` : `no ${operation} of "${name}" is open`;
  return new UnderstudyError('PreconditionError', `${none}: there is nothing to ${what}${more}`, {
    next:
      `${named}See "understudy runs". ` +
      'To take a completed move back: "understudy reprotect", then switch over in the other direction; ' +
      'to end a recovery point that is being taken: "understudy cancel --replication".',
  });
}

/** The open run of this operation, if this Temporal executes it now. */
export async function attach(session: Session, client: Client, operation: Operation): Promise<StartedRun | undefined> {
  const running = await findRunning(client, { topology: session.topology.name, operation });
  return running ? { ...running, started: false } : undefined;
}

/** What this Temporal executes of the topology now; a move before a replication. */
export async function attachAny(session: Session, client: Client): Promise<StartedRun | undefined> {
  for (const operation of operationNames.toReversed()) {
    const running = await attach(session, client, operation);
    if (running) return running;
  }
  return undefined;
}
