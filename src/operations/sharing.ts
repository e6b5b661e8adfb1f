/**
 * What both workspaces use, and what that means for an operation: for `plan`, for `status`, and before a run is
 * started.
 */
import { z } from 'zod';
import { listRecoveryPoints } from '../recovery-point/list-points.ts';
import { openByRef } from '../recovery-point/recovery-point.ts';
import type { SealedManifest } from '../recovery-point/manifest.ts';
import type { Azure } from '../azure/azure.ts';
import type { ControlStore } from '../control-store/store.ts';
import { isUnderstudyError, messageOf } from '../errors/error.ts';
import type { AcceptedLoss } from '../plan/plan.ts';
import { showRefusal, sortFindings, type StandbyFinding } from '../standby/findings.ts';
import { findSharing, mendOneDefault, oneDefault, readUsed } from '../workspace/find-sharing.ts';
import { inspectStandby } from '../standby/inspect-standby.ts';
import { SharedThing } from '../workspace/sharing.ts';
import { otherRegion, sideOf } from '../topology/sides.ts';
import type { Topology } from '../topology/topology.ts';

/** A session, or what a plan is made from. */
export interface Looking {
  azure: Azure;
  store: ControlStore;
  topology: Topology;
}

/** What both workspaces share. */
export const SharedNow = z.object({
  things: z.array(SharedThing),
  seenAt: z
    .string()
    .optional()
    .describe('When this was so: earlier than now if a region did not answer; absent: unknown'),
  unread: z.string().optional().describe('Why it was not read now'),
  problem: z.string().optional().describe('Why the workspaces cannot stand in for each other; absent: they can'),
});
export type SharedNow = z.infer<typeof SharedNow>;

/**
 * Read from both regions; if one does not answer, as the newest recovery point of the writer has it. Errors:
 * AzureUnavailable of the control store.
 */
export async function sharedNow(planning: Looking, writer: string, now = new Date()): Promise<SharedNow> {
  const { azure, topology, store } = planning;
  try {
    const [active, standby] = await Promise.all(
      [writer, otherRegion(topology, writer)].map((region) => readUsed(azure.arm, sideOf(topology, region))),
    );
    if (!active) return { things: [], seenAt: now.toISOString() };
    const problem = oneDefault(active, standby);
    const { things } = await findSharing(azure.arm, active, standby);
    return {
      things,
      seenAt: now.toISOString(),
      ...(problem === undefined ? {} : { problem: `${problem}. ${mendOneDefault}` }),
    };
  } catch (error) {
    if (!isUnderstudyError(error)) throw error;
    const unread = messageOf(error);
    const sealed = await newestSealed(store, writer);
    if (!sealed) return { things: [], unread };
    return { things: sealed.sharing.things, seenAt: sealed.startedAt, unread };
  }
}

/** A damaged recovery point tells nothing here; other findings report that it is damaged. */
async function newestSealed(store: ControlStore, region: string): Promise<SealedManifest | undefined> {
  try {
    const point = (await listRecoveryPoints(store, { region, limit: 1 })).sealed[0];
    return point && (await openByRef(store, point.ref)).sealed;
  } catch (error) {
    if (isUnderstudyError(error, 'RecoveryPointError')) return undefined;
    throw error;
  }
}

/** What was found before an operation of what both workspaces share. */
export interface Looked {
  problems: string[];
  warnings: string[];
  sharing: SharedThing[];
  findings: StandbyFinding[];
}

/** A recovery point is useless if the two workspaces have the same default storage account. */
export async function inspectBeforeReplicate(planning: Looking, writer: string): Promise<Looked> {
  const { things, problem, unread } = await sharedNow(planning, writer);
  return {
    problems: problem === undefined ? [] : [problem],
    warnings: unread === undefined ? [] : [`what the two workspaces share could not be read: ${unread}`],
    sharing: things,
    findings: [],
  };
}

/** `acceptLoss`: ids of findings. What is accepted becomes part of the plan. */
export async function inspectBeforeFailover(
  planning: Looking,
  sealed: SealedManifest,
  acceptLoss: readonly string[],
): Promise<Looked & { acceptedLosses: AcceptedLoss[] }> {
  const { azure, topology } = planning;
  const from = sideOf(topology, sealed.region);
  const to = sideOf(topology, otherRegion(topology, sealed.region));
  const hasTemplate = to.template !== undefined;
  const signal = new AbortController().signal;
  const asked = { azure, topology, from, to, sealed, hasTemplate, asWorker: false, signal };
  const findings = await inspectStandby(asked);
  const { refused, accepted, warnings } = sortFindings(findings, acceptLoss);
  const idle = acceptLoss.filter((id) => !accepted.some((each) => each.id === id));
  return {
    problems: refused.map(showRefusal),
    warnings: [
      ...warnings.map(({ what }) => what),
      ...idle.map((id) => `nothing is lost by the name of "${id}": there is nothing to accept`),
    ],
    sharing: sealed.sharing.things,
    findings,
    acceptedLosses: accepted,
  };
}
