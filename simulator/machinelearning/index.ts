/** Azure Machine Learning, as far as the local Azure has it: one row a resource type. */

import { Executor } from './execution/executor.ts';
import { watchFirstAccess } from './execution/data/first-access.ts';
import type { Cloud, Provider } from '../contract/index.ts';
import { assets } from './data/asset-kinds.ts';
import { batchDeployments, batchEndpoints } from './inference/batch.ts';
import { computedLists } from './workspaces/computed-lists.ts';
import { computes } from './computes/computes.ts';
import { connections } from './workspaces/connections.ts';
import { datastores } from './data/datastores.ts';
import { serveDiscovery } from './workspaces/discovery.ts';
import { features } from './data/features.ts';
import { NAMESPACE } from './bodies/fields.ts';
import { serveBatchJobs } from './jobs/job-batch.ts';
import { continueJobs, jobs } from './jobs/jobs.ts';
import { shaped } from './bodies/body-shapes.ts';
import { routeLocations } from './computes/locations.ts';
import { marketplaceSubscriptions } from './inference/marketplace.ts';
import { outboundRules, privateEndpointConnections } from './workspaces/network.ts';
import { onlineDeployments } from './inference/online-deployments.ts';
import { onlineEndpoints } from './inference/online-endpoints.ts';
import { refuseTracking, serveRunHistory } from './jobs/run-history.ts';
import { continueSchedules, schedules } from './jobs/schedules.ts';
import { serveScoring } from './inference/scoring.ts';
import { serverlessEndpoints, serveServerless } from './inference/serverless.ts';
import { refuseUnoffered } from './unoffered.ts';
import { belowReadyWorkspace } from './workspaces/workspace-ready.ts';
import { workspaces } from './workspaces/workspaces.ts';

export { setQuota } from './computes/quota.ts';
export { setSizeOffered } from './computes/sizes.ts';

const executors = new WeakMap<Cloud, Executor>();

export const machineLearning: Provider = {
  namespace: NAMESPACE,
  types: [
    workspaces,
    datastores,
    ...assets,
    features,
    computes,
    jobs,
    schedules,
    onlineEndpoints,
    onlineDeployments,
    batchEndpoints,
    batchDeployments,
    serverlessEndpoints,
    marketplaceSubscriptions,
    connections,
    privateEndpointConnections,
    outboundRules,
    ...computedLists,
  ].map((row) => shaped(belowReadyWorkspace(row))),
  start(cloud) {
    serveScoring(cloud);
    serveServerless(cloud);
    serveDiscovery(cloud);
    serveRunHistory(cloud);
    serveBatchJobs(cloud);
    refuseTracking(cloud);
    continueJobs(cloud);
    watchFirstAccess(cloud);
    const executor = new Executor(cloud);
    executors.set(cloud, executor);
    executor.start();
    continueSchedules(cloud);
  },
  async stop(cloud) {
    await executors.get(cloud)?.stop();
  },
  async route(request) {
    return (await routeLocations(request)) ?? refuseUnoffered(request);
  },
};
