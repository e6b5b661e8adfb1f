/**
 * What people have decided at a gate of a run, in the control store. A decision counts once it is there, whichever door
 * it came through, and whether or not Temporal runs.
 */
import { z } from 'zod';
import { documentKind } from '../control-store/document.ts';
import type { ControlStore } from '../control-store/store.ts';
import { UnderstudyError } from '../errors/error.ts';
import { refusalOf, verdictOf } from '../plan/gates.ts';
import { Decision, type Gate } from '../plan/plan.ts';

export const GateDocument = z.strictObject({
  gate: z.string(),
  /** The step that asks. */
  step: z.string(),
  /** Who started the run. */
  startedBy: z.string(),
  /** ISO 8601: since when it asks, and until when. */
  openedAt: z.string(),
  deadlineAt: z.string(),
  /** In the order in which they were made. */
  decisions: z.array(Decision),
  /** Absent while it asks. */
  closed: z
    .strictObject({ as: z.enum(['approved', 'declined']), at: z.string(), byDeadline: z.boolean().optional() })
    .optional(),
});
export type GateDocument = z.infer<typeof GateDocument>;

const gates = documentKind('gate', 1, GateDocument);

const folder = (runId: string) => `runs/${runId}/gates/`;
const nameOf = (runId: string, gate: string) => `${folder(runId)}${gate}.json`;

/** Undefined if the gate has not asked yet. */
export async function readGate(store: ControlStore, runId: string, gate: string): Promise<GateDocument | undefined> {
  return (await gates.read(store, nameOf(runId, gate)))?.value;
}

/** The gates of a run that have asked. */
export async function listGates(store: ControlStore, runId: string): Promise<GateDocument[]> {
  const found: GateDocument[] = [];
  for await (const name of store.list(folder(runId))) {
    const gate = await gates.read(store, name);
    if (gate) found.push(gate.value);
  }
  return found;
}

interface Opening {
  runId: string;
  step: string;
  startedBy: string;
  gate: Gate;
  now: Date;
}

/**
 * Opens a gate, or returns the one that an earlier attempt has opened. One that was declined asks again: a person has
 * started the run again since.
 */
export async function openGate(
  store: ControlStore,
  { runId, step, startedBy, gate, now }: Opening,
): Promise<{ document: GateDocument; isNew: boolean }> {
  const name = nameOf(runId, gate.name);
  for (;;) {
    const found = await gates.read(store, name);
    if (found && found.value.closed?.as !== 'declined') return { document: found.value, isNew: false };
    const deadlineAt = new Date(now.getTime() + gate.deadlineSeconds * 1000).toISOString();
    const asked = { gate: gate.name, step, startedBy, openedAt: now.toISOString(), deadlineAt };
    const document = { ...asked, decisions: [] };
    if (await gates.swap(store, name, document, found?.etag)) return { document, isNew: true };
  }
}

/**
 * Records a decision, and closes the gate if that is enough.
 * Errors: PreconditionError if it does not count, with the reason.
 */
export async function recordDecision(
  store: ControlStore,
  { runId, gate, decision }: { runId: string; gate: Gate; decision: Decision },
): Promise<GateDocument> {
  const name = nameOf(runId, gate.name);
  for (;;) {
    const found = await gates.read(store, name);
    if (!found) throw refused(`gate "${gate.name}" of run "${runId}" does not ask yet`);
    const { closed, startedBy, decisions, deadlineAt } = found.value;
    if (closed) throw refused(`gate "${gate.name}" is closed: ${closed.as} at ${closed.at}`);
    if (decision.at > deadlineAt) throw refused(`gate "${gate.name}" asked until ${deadlineAt}: it is ${decision.at}`);
    const why = refusalOf(gate, { startedBy, decisions }, decision);
    if (why !== undefined) throw refused(why);
    const made = [...decisions, decision];
    const verdict = verdictOf(gate, made);
    const document = {
      ...found.value,
      decisions: made,
      ...(verdict === undefined ? {} : { closed: { as: verdict, at: decision.at } }),
    };
    if (await gates.swap(store, name, document, found.etag)) return document;
  }
}

/** Closes a gate whose time is over, unless people have closed it. */
export async function closeByDeadline(
  store: ControlStore,
  { runId, gate, now }: { runId: string; gate: Gate; now: Date },
): Promise<GateDocument> {
  const name = nameOf(runId, gate.name);
  for (;;) {
    const found = await gates.read(store, name);
    if (!found) throw new UnderstudyError('ControlStoreError', `${name} is gone`);
    if (found.value.closed) return found.value;
    const as = gate.afterDeadline === 'approve' ? ('approved' as const) : ('declined' as const);
    const document = { ...found.value, closed: { as, at: now.toISOString(), byDeadline: true } };
    if (await gates.swap(store, name, document, found.etag)) return document;
  }
}

function refused(message: string): UnderstudyError {
  return new UnderstudyError('PreconditionError', message, { next: 'See "understudy status".' });
}
