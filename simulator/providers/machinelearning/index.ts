/** Azure Machine Learning, as far as the local Azure has it: one row a resource type. */

import { Executor } from '../../execution/executor.ts';
import { watchFirstAccess } from '../../execution/first-access.ts';
import type { Cloud, Provider } from '../../provider.ts';
import { assets } from './asset-kinds.ts';
import { batchDeployments, batchEndpoints } from './batch.ts';
import { computedLists } from './computed-lists.ts';
import { computes } from './computes.ts';
import { connections } from './connections.ts';
import { datastores } from './datastores.ts';
import { serveDiscovery } from './discovery.ts';
import { features } from './features.ts';
import { NAMESPACE } from './fields.ts';
import { serveBatchJobs } from './job-batch.ts';
import { continueJobs, jobs } from './jobs.ts';
import { shaped } from './body-shapes.ts';
import { routeLocations } from './locations.ts';
import { marketplaceSubscriptions } from './marketplace.ts';
import { outboundRules, privateEndpointConnections } from './network.ts';
import { onlineDeployments } from './online-deployments.ts';
import { onlineEndpoints } from './online-endpoints.ts';
import { refuseTracking, serveRunHistory } from './run-history.ts';
import { continueSchedules, schedules } from './schedules.ts';
import { serveScoring } from './scoring.ts';
import { serverlessEndpoints, serveServerless } from './serverless.ts';
import { refuseUnoffered } from './unoffered.ts';
import { belowReadyWorkspace } from './workspace-ready.ts';
import { workspaces } from './workspaces.ts';

export { setQuota } from './quota.ts';
export { setSizeOffered } from './sizes.ts';

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
