/**
 * What the hosts' workers find in the config files that a plan would rewrite; a target that nobody could check is
 * unknown.
 */
import type { Client } from '@temporalio/client';
import { connectTemporal } from '../client/connect.ts';
import { askHost } from '../client/host-look.ts';
import { isUnderstudyError } from '../errors/error.ts';
import type { Plan } from '../plan/plan.ts';
import type { RecoveryPointSummary } from '../plan/recovery-point-summary.ts';
import { backFrom } from '../switch/earlier-run.ts';
import { unknownLook, type HostLookRequest, type TargetLook } from '../switch/look-at-configs.ts';
import { computeNames } from '../topology/compute-names.ts';
import { toSeconds } from '../topology/duration.ts';
import { sideOf } from '../topology/sides.ts';
import type { Topology } from '../topology/topology.ts';

/** A plan, and the newest recovery point by which the files are looked at. */
export interface Planned {
  plan: Plan;
  recoveryPoint?: RecoveryPointSummary;
}

/**
 * Asks every named host in parallel, each within `policies.standbyDeadline`. Never throws for a host, nor if Temporal
 * cannot be reached: the targets are then unknown. Calls `connect` only if there is something to ask.
 */
export async function lookAtConfigs(
  topology: Topology,
  made: Planned,
  connect: () => Promise<Client>,
): Promise<TargetLook[]> {
  const requests = requestsOf(topology, made);
  if (requests.length === 0) return [];
  try {
    const client = await connect();
    const looks = await Promise.all(requests.map((request) => lookOn(client, topology, request)));
    return looks.flat();
  } catch (error) {
    return requests.flatMap((request) => unknownOn(request, error));
  }
}

/** As `lookAtConfigs`, on a connection of its own that gives up soon: a plan needs no Temporal. */
export async function lookAtConfigsAlone(topology: Topology, made: Planned): Promise<TargetLook[]> {
  let client: Client | undefined;
  try {
    return await lookAtConfigs(topology, made, async () => (client = await connectTemporal(2000)));
  } finally {
    await client?.connection.close();
  }
}

async function lookOn(client: Client, topology: Topology, request: HostLookRequest): Promise<TargetLook[]> {
  try {
    return await askHost(client, topology.name, request);
  } catch (error) {
    return unknownOn(request, error);
  }
}

function unknownOn({ targets }: HostLookRequest, error: unknown): TargetLook[] {
  if (!isUnderstudyError(error)) throw error;
  const next = error.details.next ?? 'Plan again.';
  return targets.map((target) => unknownLook(target, error.message, next));
}

/** One per host, with the targets that the plan would rewrite there. */
function requestsOf(topology: Topology, { plan, recoveryPoint }: Planned): HostLookRequest[] {
  const steps = plan.steps.filter(({ action }) => action === 'rewriteConfigs');
  const targets = steps.flatMap(({ input }) => topology.configs[Number(input.target)] ?? []);
  if (!recoveryPoint) return [];
  const [earlier] = steps.flatMap((step) => backFrom(step) ?? []);
  const move = {
    controlStore: topology.controlStore,
    from: movedSide(topology, plan.from),
    to: movedSide(topology, plan.to),
    compute: computeNames(topology, plan.from),
    recoveryPoint: recoveryPoint.ref,
    ...(earlier === undefined ? {} : { backFrom: earlier }),
    deadlineSeconds: toSeconds(topology.policies.standbyDeadline),
  };
  return [...Map.groupBy(targets, ({ host }) => host)].map(([host, onHost]) => ({
    ...move,
    host,
    targets: onHost,
  }));
}

function movedSide(topology: Topology, name: string): HostLookRequest['from'] {
  const { region, workspace } = sideOf(topology, name);
  return { region, workspace };
}
