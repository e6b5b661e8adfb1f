/**
 * hot-warm: the standby is deployed and idle; its data are as old as the last recovery point.
 *
 * | phase     | platform            | data              | training           | inference                |
 * |-----------|---------------------|-------------------|--------------------|--------------------------|
 * | provision | template            |                   | computes up        | deployments up           |
 * | restore   | datastores, environments, codes | blobs, data | components    | models                   |
 * | configure | connections         |                   | schedules          | endpoints, deployments   |
 * | verify    | assets counted, datastores used | blobs counted | a smoke job | a scoring request        |
 * | switch    | serving, configs    | serving           | serving, schedules | traffic, serving, probes |
 * | resume    |                     |                   | interrupted jobs   |                          |
 */
import { computeNames } from '../../topology/compute-names.ts';
import type { ConfigTarget } from '../../topology/topology.ts';
import { showCount } from '../../topology/figures.ts';
import { draft, type StepDraft, type Strategy, type StrategyInput } from './strategy.ts';

export const hotWarm: Strategy = {
  provision({ class: name, topology, from, to, recoveryPoint }) {
    switch (name) {
      case 'platform':
        return [
          draft('template', 'deployTemplate', `Deploy the template of ${to} and wait for the workspace`, {
            expectedSeconds: 120,
          }),
        ];
      case 'training':
        return when(recoveryPoint.computes.length > 0, () =>
          draft(
            'computes',
            'scaleComputes',
            `Scale ${showCount(recoveryPoint.computes.length, 'compute')} up in ${to}`,
            {
              input: { computes: recoveryPoint.computes, names: computeNames(topology, from) },
            },
          ),
        );
      case 'inference':
        return when(recoveryPoint.endpoints.length > 0, () =>
          draft(
            'deployments',
            'scaleDeployments',
            `Scale the deployments of ${showCount(recoveryPoint.endpoints.length, 'endpoint')} up in ${to}`,
            {
              input: { endpoints: recoveryPoint.endpoints },
            },
          ),
        );
      case 'data':
        return [];
    }
  },

  restore(input) {
    switch (input.class) {
      case 'platform':
        return [
          draft('blobs', 'restoreBlobs', `Restore the snapshots of code and environments into ${input.to}'s storage`, {
            input: { classes: ['platform'] },
          }),
          draft(
            'datastores',
            'configureDatastores',
            `Create the datastores that ${input.to} lacks, with its own credentials`,
          ),
          assets(input, ['environments', 'codes']),
        ];
      case 'data':
        return [
          draft('blobs', 'restoreBlobs', `Restore the data into ${input.to}'s storage`, {
            input: { classes: ['data'] },
          }),
          assets(input, ['data']),
        ];
      case 'inference':
        return [
          draft('blobs', 'restoreBlobs', `Restore the models into ${input.to}'s storage`, {
            input: { classes: ['inference'] },
          }),
          assets(input, ['models']),
        ];
      case 'training':
        return [
          draft('blobs', 'restoreBlobs', `Restore what jobs and schedules read into ${input.to}'s storage`, {
            input: { classes: ['training'] },
          }),
          assets(input, ['components']),
        ];
    }
  },

  configure({ class: name, to, recoveryPoint }) {
    switch (name) {
      case 'platform':
        return [
          draft(
            'connections',
            'configureConnections',
            `Create ${showCount(recoveryPoint.counts.connections ?? 0, 'connection')} from escrow`,
          ),
        ];
      case 'training':
        return when((recoveryPoint.counts.schedules ?? 0) > 0, () =>
          draft(
            'schedules',
            'configureSchedules',
            `Create ${showCount(recoveryPoint.counts.schedules ?? 0, 'schedule')}, disabled`,
          ),
        );
      case 'inference':
        return when(recoveryPoint.endpoints.length > 0, () =>
          draft('endpoints', 'configureEndpoints', `Create the endpoints and deployments that ${to} lacks`),
        );
      case 'data':
        return [];
    }
  },

  verify({ class: name, recoveryPoint, to }) {
    const assetsOf = (types: string[]) =>
      draft('assets', 'reconcileAssets', `List ${to}'s ${types.join(', ')} again and compare`, {
        input: { types },
      });
    const blobsOf = () =>
      draft('blobs', 'reconcileBlobs', `List ${to}'s blobs again and compare digests`, {
        input: { classes: [name] },
      });
    switch (name) {
      case 'platform':
        return [
          blobsOf(),
          assetsOf(['environments', 'codes']),
          draft(
            'datastores',
            'useDatastores',
            `Use each datastore of ${to} with the credentials that its workspace holds`,
          ),
        ];
      case 'data':
        return [blobsOf(), assetsOf(['data'])];
      case 'training':
        return [
          blobsOf(),
          assetsOf(['components']),
          ...when(recoveryPoint.computes.length > 0, () => draft('smoke', 'runSmokeJob', `Run a smoke job in ${to}`)),
        ];
      case 'inference':
        return [
          blobsOf(),
          assetsOf(['models']),
          ...when(recoveryPoint.endpoints.length > 0, () =>
            draft('score', 'scoreEndpoints', `Send a scoring request to each endpoint in ${to}`, {
              input: { endpoints: recoveryPoint.endpoints.map((endpoint) => endpoint.name) },
            }),
          ),
        ];
    }
  },

  switch({ class: name, topology, to, recoveryPoint }) {
    const serving = draft('serving', 'switchServing', `The region pointer: ${to} serves ${name}`);
    const probes = topology.probes.filter((probe) => probe.class === name);
    const probing = when(probes.length > 0, () =>
      draft(
        'probes',
        'probePublicAddress',
        `Probe ${showCount(probes.length, 'public address')}`.replace('addresss', 'addresses'),
      ),
    );
    switch (name) {
      case 'platform':
        return [serving, ...topology.configs.map((target, index) => rewrite(target, index)), ...probing];
      case 'inference':
        return [
          ...when(topology.traffic?.frontDoor !== undefined, () =>
            draft('traffic', 'shiftTraffic', `Front Door: all traffic to ${to}`),
          ),
          serving,
          ...probing,
        ];
      case 'training':
        return [
          serving,
          ...when((recoveryPoint.counts.schedules ?? 0) > 0, () =>
            draft('schedules', 'enableSchedules', `Enable the schedules in ${to}, once none fires elsewhere`, {
              independent: true,
            }),
          ),
          ...probing,
        ];
      case 'data':
        return [serving, ...probing];
    }
  },

  resume({ class: name, recoveryPoint, to }) {
    if (name !== 'training') return [];
    const unfinished = Object.values(recoveryPoint.jobs).reduce((sum, each) => sum + each, 0);
    return [
      draft('jobs', 'resubmitJobs', `Resubmit ${showCount(unfinished, 'interrupted job')} in ${to}, by priority`, {
        expectedSeconds: Math.ceil(unfinished / 9.5),
      }),
    ];
  },
};

function assets({ recoveryPoint, to }: StrategyInput, types: string[]): StepDraft {
  const number = types.reduce((sum, type) => sum + (recoveryPoint.counts[type] ?? 0), 0);
  return draft('assets', 'restoreAssets', `Register ${number} ${types.join(' and ')} in ${to}`, {
    input: { types },
  });
}

/**
 * Clients' files change once every class is verified: they name computes, data and endpoints. If one cannot be
 * rewritten, the run fails, but nothing is delayed.
 */
function rewrite(target: ConfigTarget, index: number): StepDraft {
  const what = 'git' in target ? `the working copy ${target.git}` : target.file;
  return draft(`configs-${index + 1}`, 'rewriteConfigs', `Rewrite ${what} on ${target.host}`, {
    host: target.host,
    input: { target: index },
    afterAll: 'verify',
    independent: true,
  });
}

function when(condition: boolean, make: () => StepDraft): StepDraft[] {
  return condition ? [make()] : [];
}
