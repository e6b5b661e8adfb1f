/** Makes the plan of an operation: reads what the compiler needs, checks what must hold before it runs, compiles. */
import { listRecoveryPoints, openRecoveryPoint, summarise } from '../artifacts/recovery-point.ts';
import { digestOf } from '../control-store/blob-store.ts';
import { readPointer } from '../control-store/region-pointer.ts';
import { canonical } from '../control-store/store.ts';
import { UnderstudyError, isUnderstudyError, messageOf } from '../errors/error.ts';
import { compileFailover, compileReplicate } from '../plan/compile.ts';
import type { Plan } from '../plan/plan.ts';
import type { RecoveryPointSummary } from '../plan/recovery-point-summary.ts';
import type { RegionPointer } from '../topology/pointer.ts';
import { otherRegion } from '../topology/sides.ts';
import { checkQuota } from './quota.ts';
import type { Session } from './session.ts';

export interface MadePlan {
  plan: Plan;
  /** What would make the run fail: it is refused while there is one. */
  problems: string[];
  /** What could not be looked at, and keeps nobody from moving. */
  warnings: string[];
  recoveryPoint?: RecoveryPointSummary;
}

export async function planReplicate(session: Session, now = new Date()): Promise<MadePlan> {
  const { topology } = session;
  const { value: pointer } = await readPointer(session.store, topology, 'replicate', now);
  return {
    plan: compileReplicate({ topology, pointer, bundle: await bundleDigest(session) }),
    problems: [],
    warnings: [],
  };
}

/** `recoveryPoint`: an id other than the newest. RecoveryPointError if it is altered or cut short, naming the one before. */
export async function planFailover(
  session: Session,
  options: { recoveryPoint?: string; now?: Date } = {},
): Promise<MadePlan> {
  const { topology, store } = session;
  const { value: pointer } = await readPointer(store, topology, 'failover', options.now ?? new Date());
  const recoveryPoint = summarise(
    await openRecoveryPoint(store, options.recoveryPoint ?? (await newest(session, pointer))),
  );
  if (recoveryPoint.region !== pointer.writer) {
    throw new UnderstudyError(
      'RecoveryPointError',
      `the recovery point ${recoveryPoint.ref.id} is of ${recoveryPoint.region}, but the workspace is in ${pointer.writer}: it does not have what ${pointer.writer} did`,
      { next: `Name one of ${pointer.writer}, or leave --recovery-point out for the newest.` },
    );
  }
  const plan = compileFailover({ topology, pointer, bundle: await bundleDigest(session), recoveryPoint });
  return { plan, ...(await lookAhead(session, plan.to, recoveryPoint)), recoveryPoint };
}

async function newest({ store, topology }: Session, pointer: RegionPointer): Promise<string> {
  const region = pointer.writer;
  const list = await listRecoveryPoints(store, { region, limit: 1 });
  const damaged = list.damaged[0];
  const found = list.sealed[0];
  if (damaged) {
    throw new UnderstudyError(
      'RecoveryPointError',
      `the recovery point ${damaged.id} cannot be used: ${damaged.reason}`,
      {
        next: found
          ? `Use the one before it: --recovery-point ${found.ref.id}`
          : 'Take one with "understudy replicate".',
      },
    );
  }
  if (found) return found.ref.id;
  throw new UnderstudyError(
    'PreconditionError',
    `the workspace is in ${region}, and there is no recovery point of ${region}: nothing could be restored in ${otherRegion(topology, region)}`,
    {
      next: `Take one with "understudy replicate" while ${region} answers.`,
    },
  );
}

/** A standby that does not answer just now may do so when the steps ask it again and again: that is no reason to refuse. */
async function lookAhead(
  session: Session,
  region: string,
  recoveryPoint: RecoveryPointSummary,
): Promise<Pick<MadePlan, 'problems' | 'warnings'>> {
  try {
    const { problems, notOffered } = await checkQuota(session, region, recoveryPoint);
    const found = [
      ...problems.map(
        ({ family, needed, used, limit, users }) =>
          `quota of ${family} in ${region}: ${users.join(' and ')} would take ${needed} vCPUs more, and ${used} of ${limit} are in use`,
      ),
      ...notOffered.map(({ user, vmSize }) => `${region} does not offer ${vmSize}, which ${user} needs`),
    ];
    return { problems: found, warnings: [] };
  } catch (error) {
    if (!isUnderstudyError(error)) throw error;
    const unread = `whether the quota of ${region} is enough could not be read: ${messageOf(error)}`;
    return error.retryable ? { problems: [], warnings: [unread] } : { problems: [unread], warnings: [] };
  }
}

/** The digest that sealing the bundle will give it. */
async function bundleDigest({ bundle }: Session): Promise<string> {
  return digestOf(canonical(await bundle()));
}
