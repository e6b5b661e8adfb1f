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
import { showCount } from '../../topology/figures.ts';
import { resourceClasses, type ResourceClass } from '../../topology/words.ts';
import type { Fact } from '../facts.ts';
import { draftsOf, when, type StepDraft } from '../fragments/fragment.ts';
import { unfinishedJobs } from '../recovery-point-summary.ts';
import type { Strategy, StrategyInput } from './strategy.ts';

/** The types of assets that each class has. */
const assetTypes: Record<ResourceClass, string[]> = {
  platform: ['environments', 'codes'],
  data: ['data'],
  inference: ['models'],
  training: ['components'],
};

export const hotWarm: Strategy = {
  provision({ class: name, topology, from, to, recoveryPoint }) {
    const draft = draftsOf('provision', name);
    const { computes, endpoints } = recoveryPoint ?? {};
    switch (name) {
      case 'platform':
        return [
          draft(
            ['template', 'deployTemplate', `Deploy the template of ${to} and wait for the workspace`],
            // Paying a debt removes roles. The template then assigns those that are needed.
            ['debts.paid'],
            ['target.deployed'],
            { expectedSeconds: 120 },
          ),
        ];
      case 'training':
        return when(computes?.length !== 0, () =>
          draft(
            ['computes', 'scaleComputes', `Scale ${howMany(computes?.length, 'compute')} up in ${to}`],
            ['target.deployed', 'recovery-point'],
            ['target.computes-scaled'],
            { input: { ...(computes ? { computes } : {}), names: computeNames(topology, from) } },
          ),
        );
      case 'inference':
        return when(endpoints?.length !== 0, () =>
          draft(
            [
              'deployments',
              'scaleDeployments',
              `Scale the deployments of ${howMany(endpoints?.length, 'endpoint')} up in ${to}`,
            ],
            ['target.deployed', 'recovery-point'],
            ['target.deployments-scaled'],
            endpoints ? { input: { endpoints } } : {},
          ),
        );
      case 'data':
        return [];
    }
  },

  restore(input) {
    const { class: name, to } = input;
    const draft = draftsOf('restore', name);
    const blobs = (what: string, requires: Fact[]): StepDraft =>
      draft(
        ['blobs', 'restoreBlobs', `Restore ${what} into ${to}'s storage`],
        ['target.readmitted', 'recovery-point', ...requires],
        [`target.blobs(${name})`],
        { input: { classes: [name] } },
      );
    switch (name) {
      case 'platform':
        return [
          blobs('the snapshots of code and environments', []),
          draft(
            ['datastores', 'configureDatastores', `Create the datastores that ${to} lacks, with its own credentials`],
            ['target.blobs(platform)'],
            ['target.datastores'],
          ),
          assets(input),
        ];
      case 'data':
        return [blobs('the data', ['target.assets(platform)']), assets(input)];
      case 'inference':
        return [blobs('the models', ['target.assets(platform)']), assets(input)];
      case 'training':
        return [
          blobs('what jobs and schedules read', ['target.assets(platform)', 'target.assets(data)']),
          assets(input),
        ];
    }
  },

  configure({ class: name, to, recoveryPoint }) {
    const draft = draftsOf('configure', name);
    const { endpoints } = recoveryPoint ?? {};
    const schedules = numberOf('schedules', recoveryPoint);
    switch (name) {
      case 'platform':
        return [
          draft(
            [
              'connections',
              'configureConnections',
              `Create ${howMany(numberOf('connections', recoveryPoint), 'connection')} from escrow`,
            ],
            ['target.assets(platform)'],
            ['target.connections'],
          ),
        ];
      case 'training':
        return when(schedules !== 0, () =>
          draft(
            ['schedules', 'configureSchedules', `Create ${howMany(schedules, 'schedule')}, disabled`],
            // The jobs that it submits may read models.
            ['target.assets(training)', 'target.assets(inference)'],
            ['target.schedules'],
          ),
        );
      case 'inference':
        return when(endpoints?.length !== 0, () =>
          draft(
            ['endpoints', 'configureEndpoints', `Create the endpoints and deployments that ${to} lacks`],
            ['target.assets(inference)', 'target.connections'],
            ['target.endpoints'],
          ),
        );
      case 'data':
        return [];
    }
  },

  verify({ class: name, recoveryPoint, to }) {
    const draft = draftsOf('verify', name);
    const { computes, endpoints } = recoveryPoint ?? {};
    const types = assetTypes[name];
    const both: StepDraft[] = [
      draft(
        ['blobs', 'reconcileBlobs', `List ${to}'s blobs again and compare digests`],
        [`target.blobs(${name})`],
        [`blobs.verified(${name})`, `target.verified(${name})`],
        { input: { classes: [name] } },
      ),
      draft(
        ['assets', 'reconcileAssets', `List ${to}'s ${types.join(', ')} again and compare`],
        [`blobs.verified(${name})`],
        [`assets.verified(${name})`, `target.verified(${name})`],
        { input: { types } },
      ),
    ];
    switch (name) {
      case 'platform':
        return [
          ...both,
          draft(
            [
              'datastores',
              'useDatastores',
              `Use each datastore of ${to} with the credentials that its workspace holds`,
            ],
            ['assets.verified(platform)'],
            ['target.verified(platform)'],
          ),
        ];
      case 'data':
        return both;
      case 'training':
        return [
          ...both,
          ...when(computes?.length !== 0, () =>
            draft(
              ['smoke', 'runSmokeJob', `Run a smoke job in ${to}`],
              ['assets.verified(training)'],
              ['target.verified(training)'],
            ),
          ),
        ];
      case 'inference':
        return [
          ...both,
          ...when(endpoints?.length !== 0, () =>
            draft(
              ['score', 'scoreEndpoints', `Send a scoring request to each endpoint in ${to}`],
              ['assets.verified(inference)'],
              ['target.verified(inference)'],
              endpoints ? { input: { endpoints: endpoints.map((endpoint) => endpoint.name) } } : {},
            ),
          ),
        ];
    }
  },

  switch({ class: name, topology, to, recoveryPoint, fenced }) {
    const draft = draftsOf('switch', name);
    const serving = (...more: Fact[]): StepDraft =>
      draft(
        ['serving', 'switchServing', `The region pointer: ${to} serves ${name}`],
        [`target.verified(${name})`, ...fenced, ...more],
        [`pointer.serving(${name})`, `class.switched(${name})`],
      );
    const probes = topology.probes.filter((probe) => probe.class === name);
    const probing = when(probes.length > 0, () =>
      draft(
        ['probes', 'probePublicAddress', `Probe ${showCount(probes.length, 'public address', 'public addresses')}`],
        [`pointer.serving(${name})`],
        [`class.switched(${name})`],
      ),
    );
    switch (name) {
      case 'platform':
        return [serving(), ...rewrites(topology), ...probing];
      case 'data':
        return [serving('class.switched(platform)'), ...probing];
      case 'inference': {
        const hasFront = topology.traffic?.frontDoor !== undefined;
        return [
          ...when(hasFront, () =>
            draft(
              ['traffic', 'shiftTraffic', `Front Door: all traffic to ${to}`],
              ['target.verified(inference)', ...fenced, 'class.switched(platform)'],
              ['front.shifted'],
            ),
          ),
          serving('class.switched(platform)', ...(hasFront ? (['front.shifted'] as const) : [])),
          ...probing,
        ];
      }
      case 'training':
        return [
          serving('class.switched(platform)', 'class.switched(data)'),
          ...when(numberOf('schedules', recoveryPoint) !== 0, () =>
            draft(
              ['schedules', 'enableSchedules', `Enable the schedules in ${to}, once none fires elsewhere`],
              ['pointer.serving(training)', 'target.schedules'],
              [],
            ),
          ),
          ...probing,
        ];
    }
  },

  resume({ class: name, recoveryPoint, to }) {
    if (name !== 'training') return [];
    const unfinished = recoveryPoint && unfinishedJobs(recoveryPoint);
    return [
      draftsOf('resume', name)(
        ['jobs', 'resubmitJobs', `Resubmit ${howMany(unfinished, 'interrupted job')} in ${to}, by priority`],
        // Jobs may read models.
        ['class.switched(training)', 'target.assets(inference)'],
        ['jobs.resubmitted'],
        unfinished === undefined ? {} : { expectedSeconds: Math.ceil(unfinished / 9.5) },
      ),
    ];
  },
};

function assets({ class: name, recoveryPoint, to }: StrategyInput): StepDraft {
  const types = assetTypes[name];
  const number = recoveryPoint && types.reduce((sum, type) => sum + (recoveryPoint.counts[type] ?? 0), 0);
  const title = `Register ${types.join(' and ')} in ${to}`;
  return draftsOf('restore', name)(
    ['assets', 'restoreAssets', number === undefined ? title : `${title}: ${number}`],
    [`target.blobs(${name})`, 'target.datastores'],
    [`target.assets(${name})`],
    { input: { types } },
  );
}

/** How many of a kind there are; undefined if a recovery point that the run seals itself will say it. */
function numberOf(kind: string, recoveryPoint: StrategyInput['recoveryPoint']): number | undefined {
  return recoveryPoint && (recoveryPoint.counts[kind] ?? 0);
}

/** `3 endpoints`, or `the endpoints` where a recovery point that the run seals itself will say how many. */
function howMany(count: number | undefined, one: string): string {
  return count === undefined ? `the ${one}s` : showCount(count, one);
}

/**
 * Clients' files change once every class is verified: they name computes, data and endpoints. If one cannot be
 * rewritten, the run fails, but nothing is delayed.
 */
function rewrites({ configs }: StrategyInput['topology']): StepDraft[] {
  return configs.map((target, index) => {
    const what = 'git' in target ? `the working copy ${target.git}` : target.file;
    return draftsOf('switch', 'platform')(
      [`configs-${index + 1}`, 'rewriteConfigs', `Rewrite ${what} on ${target.host}`],
      ['pointer.serving(platform)', ...resourceClasses.map((name): Fact => `target.verified(${name})`)],
      [],
      { host: target.host, input: { target: index } },
    );
  });
}
