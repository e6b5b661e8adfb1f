/** Every action of a plan, and the function that does it: the one place where plans meet what they name. */
import { awaitApproval } from './gates/await-approval.ts';
import { useDatastores } from './secrets/use-datastores.ts';
import { configureConnections } from './secrets/configure-connections.ts';
import { configureDatastores } from './secrets/configure-datastores.ts';
import { configureSchedules, enableAsBefore } from './schedules/configure-schedules.ts';
import { copyBlobs } from './blobs/copy-blobs.ts';
import { disableAgain, enableSchedules } from './schedules/enable-schedules.ts';
import { drainJobs } from './drain/drain-jobs.ts';
import { resumeDrained } from './drain/resume-drained.ts';
import { endZombies } from './drain/end-zombies.ts';
import { applyMerge } from './standby/apply-merge.ts';
import { decideMerge } from './merge/decide-merge.ts';
import { endReprotect } from './fence/end-reprotect.ts';
import { escrowSecrets } from './secrets/escrow-secrets.ts';
import { listAgain } from './inventory/list-again.ts';
import { listActive } from './inventory/list-active.ts';
import { reconcileAssets } from './assets/reconcile-assets.ts';
import { reconcileBlobs } from './blobs/reconcile-blobs.ts';
import { reportDamage } from './scrub/report-damage.ts';
import { restoreAssets } from './assets/restore-assets.ts';
import { restoreBlobs } from './blobs/restore-blobs.ts';
import { scrubReplicas } from './scrub/scrub-replicas.ts';
import { mirrorState } from './inventory/mirror-state.ts';
import { sealRecoveryPoint } from './inventory/seal-recovery-point.ts';
import { stopOldJobs } from './fence/stop-old-jobs.ts';
import { checkStandby } from './standby/check-standby.ts';
import { payDebtsOfTarget, payFenceDebt } from './fence/pay-debt.ts';
import { readmitWriters, shutOutAgain } from './fence/readmit-writers.ts';
import { restoreOldWriters, shutOutOldWriters } from './fence/shut-out-writers.ts';
import { startOldIntake, stopOldIntake } from './fence/stop-intake.ts';
import { returnPointer, takePointer } from './fence/take-pointer.ts';
import { configureEndpoints } from './inference/configure-endpoints.ts';
import { scoreEndpoints } from './inference/score-endpoints.ts';
import { resubmitFound } from './jobs/in-place/resubmit-found.ts';
import { resubmitHere } from './jobs/in-place/resubmit-here.ts';
import { resubmitJobs } from './jobs/resubmit-jobs.ts';
import { runSmokeJob } from './jobs/smoke-job.ts';
import type { ActionName } from './plan/actions.ts';
import { deployTemplate } from './provision/deploy-template.ts';
import { scaleComputes, scaleComputesBack } from './provision/scale-computes.ts';
import { scaleDeployments, scaleDeploymentsBack } from './provision/scale-deployments.ts';
import type { Action } from './run/work/step-context.ts';
import type { Undos } from './run/undo-step.ts';
import { putConfigsBack, rewriteConfigs } from './switch/rewrite-configs.ts';
import { switchServing, switchServingBack } from './switch/switch-serving.ts';
import { probePublicAddress } from './traffic/probe.ts';
import { shiftTraffic, shiftTrafficBack } from './traffic/shift-traffic.ts';

export const actions: Record<ActionName, Action> = {
  awaitApproval,
  checkStandby,
  takePointer,
  readmitWriters,
  stopOldIntake,
  stopOldJobs: (context) => stopOldJobs(context),
  shutOutOldWriters,
  deployTemplate,
  scaleComputes,
  scaleDeployments,
  restoreBlobs,
  restoreAssets,
  configureDatastores,
  configureConnections,
  configureEndpoints,
  configureSchedules,
  reconcileBlobs,
  reconcileAssets,
  useDatastores,
  scoreEndpoints,
  runSmokeJob,
  enableSchedules,
  shiftTraffic,
  rewriteConfigs,
  switchServing,
  probePublicAddress,
  resubmitJobs: (context) => resubmitJobs(context),
  drainJobs,
  endZombies,
  resubmitHere,
  decideMerge,
  applyMerge,
  resubmitFound,
  endReprotect,
  listAgain,
  payDebtsOfTarget,
  payFenceDebt,
  scrubReplicas,
  listActive,
  copyBlobs,
  escrowSecrets,
  sealRecoveryPoint,
  mirrorState,
  reportDamage,
};

/** What takes an action back when its run is cancelled: each that says it can be undone. */
export const undos: Undos = {
  takePointer: returnPointer,
  readmitWriters: shutOutAgain,
  stopOldIntake: startOldIntake,
  drainJobs: resumeDrained,
  shutOutOldWriters: restoreOldWriters,
  scaleComputes: scaleComputesBack,
  scaleDeployments: scaleDeploymentsBack,
  configureSchedules: enableAsBefore,
  enableSchedules: disableAgain,
  shiftTraffic: shiftTrafficBack,
  rewriteConfigs: putConfigsBack,
  switchServing: switchServingBack,
};
