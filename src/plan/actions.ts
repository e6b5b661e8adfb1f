/**
 * Every action that a step can name: its timeout profile, what a cancel does to it, and whether a person may accept the
 * loss if it fails. Has no dependencies: workflows import it.
 */
import type { Topology } from '../topology/topology.ts';

export const actions = {
  // any move
  checkStandby: { profile: 'probe', policies: ['standbyDeadline'], undo: 'reads only' },
  payDebtsOfTarget: {
    profile: 'control',
    policies: ['fenceLimit'],
    undo: { stays: 'jobs that were cancelled and roles that were removed' },
  },
  takePointer: { profile: 'control', policies: ['leaseTtl', 'clockSkew'], undo: 'undone' },
  readmitWriters: { profile: 'control', undo: 'undone' },
  stopOldIntake: { profile: 'control', policies: ['fenceLimit'], undo: 'undone' },
  stopOldJobs: {
    profile: 'transfer',
    policies: ['jobStopDeadline'],
    undo: { stays: 'jobs that were cancelled: the report lists them' },
  },
  shutOutOldWriters: { profile: 'control', policies: ['fenceLimit'], undo: 'undone' },
  deployTemplate: {
    profile: 'transfer',
    policies: ['whatIfDeadline', 'provisionDeadline'],
    undo: { stays: 'what the template has made' },
  },
  scaleComputes: { profile: 'control', policies: ['provisionDeadline'], undo: 'undone', loss: 'acceptable' },
  scaleDeployments: {
    profile: 'control',
    policies: ['provisionDeadline'],
    undo: 'undone',
    loss: 'acceptable',
  },
  restoreBlobs: { profile: 'transfer', undo: { stays: 'blobs in the standby' }, loss: 'acceptable' },
  restoreAssets: { profile: 'transfer', undo: { stays: 'assets in the standby' }, loss: 'acceptable' },
  configureDatastores: {
    profile: 'control',
    undo: { stays: 'datastores of the standby' },
    loss: 'acceptable',
  },
  configureConnections: {
    profile: 'control',
    undo: { stays: 'connections of the standby' },
    loss: 'acceptable',
  },
  configureEndpoints: {
    profile: 'transfer',
    policies: ['provisionDeadline'],
    undo: { stays: 'endpoints of the standby' },
    loss: 'acceptable',
  },
  configureSchedules: { profile: 'control', undo: 'undone', loss: 'acceptable' },
  reconcileBlobs: { profile: 'transfer', undo: 'reads only', loss: 'acceptable' },
  reconcileAssets: { profile: 'transfer', undo: 'reads only', loss: 'acceptable' },
  useDatastores: { profile: 'control', undo: 'reads only', loss: 'acceptable' },
  scoreEndpoints: { profile: 'probe', policies: ['probeDeadline'], undo: 'reads only', loss: 'acceptable' },
  runSmokeJob: {
    profile: 'transfer',
    policies: ['smokeDeadline'],
    undo: { stays: 'the record of the smoke job' },
    loss: 'acceptable',
  },
  enableSchedules: { profile: 'control', undo: 'undone', loss: 'acceptable' },
  shiftTraffic: { profile: 'control', undo: 'undone' },
  rewriteConfigs: { profile: 'control', undo: 'undone', loss: 'acceptable' },
  switchServing: { profile: 'control', undo: 'undone' },
  probePublicAddress: {
    profile: 'probe',
    policies: ['probeDeadline'],
    undo: 'reads only',
    loss: 'acceptable',
  },
  resubmitJobs: {
    profile: 'transfer',
    policies: ['jobStopDeadline'],
    undo: { stays: 'successors that were submitted: the report lists them' },
  },
  // switchover only
  drainJobs: {
    profile: 'transfer',
    policies: ['requestTimeout'],
    undo: { butFor: 'work of jobs since the checkpoint that they go on from' },
    loss: 'acceptable',
    without:
      'jobs that still run are cancelled by the fence, and lose their work since the last checkpoint that was copied',
  },
  listAgain: {
    profile: 'transfer',
    policies: ['replicateDeadline'],
    undo: 'reads only',
    loss: 'acceptable',
    without: 'what came after the last recovery point stays behind, and nothing names it',
  },
  // reprotect
  payFenceDebt: { profile: 'control', policies: ['fenceLimit'], undo: { stays: 'what was paid' } },
  endZombies: {
    profile: 'transfer',
    policies: ['fenceLimit', 'jobStopDeadline'],
    undo: { stays: 'jobs that were cancelled' },
  },
  endReprotect: { profile: 'control', undo: { stays: 'the standby as it is' } },
  // failback
  decideMerge: { profile: 'transfer', policies: ['replicateDeadline'], undo: 'reads only' },
  applyMerge: {
    profile: 'transfer',
    policies: ['provisionDeadline'],
    undo: { stays: 'what the merge has changed' },
    loss: 'acceptable',
  },
  resubmitFound: {
    profile: 'transfer',
    undo: { stays: 'jobs that were submitted: the report lists them' },
    loss: 'acceptable',
  },
  // resubmit
  resubmitHere: { profile: 'transfer', undo: { stays: 'jobs that were submitted: the report lists them' } },
  // any that has gates
  awaitApproval: { profile: 'control', undo: 'reads only' },
  // a recovery point: replicate, and what takes one on its way
  scrubReplicas: {
    profile: 'transfer',
    policies: ['scrubAtMost'],
    undo: { stays: 'replicas that were repaired' },
  },
  listActive: {
    profile: 'transfer',
    policies: ['replicateDeadline'],
    undo: { stays: 'drafts of a recovery point' },
  },
  copyBlobs: {
    profile: 'transfer',
    policies: ['replicateDeadline'],
    undo: { stays: 'replicas that were copied' },
  },
  escrowSecrets: {
    profile: 'control',
    policies: ['replicateDeadline'],
    undo: { stays: 'secrets in the escrow vault' },
  },
  sealRecoveryPoint: {
    profile: 'transfer',
    policies: ['replicateDeadline'],
    undo: { stays: 'the recovery point' },
  },
  mirrorState: {
    profile: 'transfer',
    policies: ['replicateDeadline'],
    undo: { stays: 'documents in the standby' },
    loss: 'acceptable',
  },
  reportDamage: { profile: 'control', undo: 'reads only', loss: 'acceptable' },
} as const satisfies Record<string, ActionRow>;

interface ActionRow {
  profile: Profile;
  /** Policies that say how long it may take. Several are added up. */
  policies?: readonly DurationPolicy[];
  /**
   * `undone`: restored to what it was before. `reads only`: it changes nothing. `stays`: what a cancel cannot undo.
   * `butFor`: restored, except for this.
   */
  undo: 'undone' | 'reads only' | { stays: string } | { butFor: string };
  loss?: 'acceptable';
  /** What going on without it means for people, where its title does not say it. */
  without?: string;
}

/** Policies that are durations. */
type DurationPolicy = Exclude<keyof Topology['policies'], 'jobBatch' | 'scrubPeriod'>;

/**
 * `probe`: returns within seconds and is retried often. `control`: a few calls to Azure's control plane. `transfer`:
 * long work with a cursor in its heartbeats.
 */
export type Profile = 'probe' | 'control' | 'transfer';
export type ActionName = keyof typeof actions;

export const actionNames = Object.keys(actions) as [ActionName, ...ActionName[]];

/** The actions that a cancel undoes. Each has an undo. */
export type UndoableAction = {
  [Name in ActionName]: (typeof actions)[Name]['undo'] extends 'undone' | { butFor: string } ? Name : never;
}[ActionName];

/** Widened, because not every row has every column. */
export function actionOf(name: ActionName): ActionRow {
  return actions[name];
}

/** Whether a cancel undoes the action. */
export function isUndoable(name: ActionName): name is UndoableAction {
  const { undo } = actionOf(name);
  return undo === 'undone' || (typeof undo === 'object' && 'butFor' in undo);
}
