/** Every action a step can name, with the timeout profile it runs under and whether it has an undo. */
export const actions = {
  // failover and its kin
  payDebtsOfTarget: { profile: 'control', undo: false },
  takePointer: { profile: 'control', undo: true },
  stopOldIntake: { profile: 'control', undo: true },
  stopOldJobs: { profile: 'control', undo: false },
  shutOutOldWriters: { profile: 'control', undo: true },
  deployTemplate: { profile: 'transfer', undo: false },
  scaleComputes: { profile: 'control', undo: true },
  scaleDeployments: { profile: 'control', undo: true },
  restoreBlobs: { profile: 'transfer', undo: false },
  restoreAssets: { profile: 'transfer', undo: false },
  configureDatastores: { profile: 'control', undo: false },
  configureConnections: { profile: 'control', undo: false },
  configureEndpoints: { profile: 'transfer', undo: false },
  configureSchedules: { profile: 'control', undo: true },
  reconcileBlobs: { profile: 'transfer', undo: false },
  reconcileAssets: { profile: 'transfer', undo: false },
  scoreEndpoints: { profile: 'probe', undo: false },
  runSmokeJob: { profile: 'transfer', undo: false },
  shiftTraffic: { profile: 'control', undo: true },
  rewriteConfigs: { profile: 'control', undo: true },
  switchServing: { profile: 'control', undo: true },
  probePublicAddress: { profile: 'probe', undo: false },
  resubmitJobs: { profile: 'transfer', undo: false },
  // replicate
  payFenceDebt: { profile: 'control', undo: false },
  scrubReplicas: { profile: 'transfer', undo: false },
  listActive: { profile: 'transfer', undo: false },
  copyBlobs: { profile: 'transfer', undo: false },
  escrowSecrets: { profile: 'control', undo: false },
  sealRecoveryPoint: { profile: 'transfer', undo: false },
  reportDamage: { profile: 'control', undo: false },
} as const satisfies Record<string, { profile: Profile; undo: boolean }>;

/**
 * `probe`: looks and answers within seconds, retried often. `control`: a few calls to Azure's control plane.
 * `transfer`: long work with a cursor in its heartbeats.
 */
export type Profile = 'probe' | 'control' | 'transfer';
export type ActionName = keyof typeof actions;

/** Actions that look and change nothing: of a cancelled run nothing of them stays. */
export const readOnly: ReadonlySet<ActionName> = new Set([
  'reconcileBlobs',
  'reconcileAssets',
  'scoreEndpoints',
  'probePublicAddress',
]);
