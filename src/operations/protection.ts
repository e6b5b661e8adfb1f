/**
 * Whether a topology is protected: there is a recovery point of the writer's region within its objectives, a standby
 * that answers and has been readmitted, and nothing is owed. Pure.
 */
import type { Unprotected } from '../fence/departures.ts';
import type { RecoveryPointList } from '../recovery-point/list-points.ts';
import { showDuration, toSeconds } from '../topology/duration.ts';
import type { RegionPointer } from '../topology/pointer.ts';
import type { Topology } from '../topology/topology.ts';
import { resourceClasses } from '../topology/words.ts';
import type { Health } from './health.ts';

/** What it is told from. */
export interface ProtectionInput {
  topology: Topology;
  /** Absent: the region pointer is lost. */
  writer: string | undefined;
  /** Of the writer's region. */
  points: RecoveryPointList;
  pointer: RegionPointer | undefined;
  regions: readonly Health[];
  /** Why the other region is no standby; undefined if it is one; `unread`: nobody knows. */
  left: Unprotected | 'unread' | undefined;
  now: Date;
}

/** What is missing, one line each; unknown is missing too. */
export interface Protection {
  protected: boolean;
  missing: string[];
}

/** Tells it. */
export function protectionOf(input: ProtectionInput): Protection {
  const missing = [...ofPoint(input), ...ofStandby(input)];
  return { protected: missing.length === 0, missing };
}

function ofPoint({ topology, writer, points, pointer, now }: ProtectionInput): string[] {
  if (writer === undefined) return ['which region writes is unknown'];
  const [newest] = points.sealed;
  if (!newest) return [`no recovery point of ${writer}`];
  if (pointer?.takenBy && newest.epoch < pointer.takenBy.epoch)
    return ['the newest recovery point is from before the last move'];
  const ageMs = now.getTime() - Date.parse(newest.ref.startedAt);
  const late = resourceClasses.filter((name) => {
    const rpo = topology.objectives[name]?.rpo;
    return rpo !== undefined && toSeconds(rpo) * 1000 < ageMs;
  });
  return late.length > 0
    ? [`the newest recovery point is ${showDuration(ageMs)} old, more than the objective of ${late.join(', ')}`]
    : [];
}

function ofStandby({ writer, regions, left }: ProtectionInput): string[] {
  const standby = regions.find(({ region }) => region !== writer);
  if (!standby) return ['no region but the writer is known'];
  if (left === 'unread') return [`whether ${standby.region} is a standby cannot be read`];
  if (left) return [left.why];
  return standby.state !== 'healthy' ? [`the standby, ${standby.region}, is ${standby.state}`] : [];
}
