/**
 * Topologies broken in every way that people break them: each is refused with its place, what is there, what should be.
 */
import { describe, expect, it } from 'vitest';
import { starterTopology } from '../../src/cli/starter-topology.ts';
import { isUnderstudyError, type UnderstudyError } from '../../src/errors/error.ts';
import { placeholderSubscription } from '../../src/topology/check-names.ts';
import { checkTopology, parseTopology, showProblem } from '../../src/topology/load.ts';
import type { Variables } from '../../src/topology/read-yaml.ts';
import { toSeconds } from '../../src/topology/duration.ts';
import { minimal, subscription } from './minimal.ts';

const file = 'dr/understudy.yaml';

/** The line (from 1) of the first line of `text` that contains `part`. */
function lineOf(text: string, part: string): number {
  const index = text.split('\n').findIndex((line) => line.includes(part));
  if (index < 0) throw new Error(`no line has "${part}"`);
  return index + 1;
}

function refusal(text: string, variables: Variables = {}): UnderstudyError {
  try {
    parseTopology(text, file, variables);
  } catch (error) {
    if (isUnderstudyError(error, 'TopologyError')) return error;
    throw error;
  }
  throw new Error('it was taken as a topology');
}

interface Broken {
  what: string;
  /** Replaced in the minimal topology; without `from`, `to` is put at its end. */
  from?: string | RegExp;
  to: string;
  /** After `cannot load topology: FILE:LINE:COLUMN: `. */
  says: string;
  /** Part of the line that it names; undefined: the first. */
  at: string | undefined;
}

const target = 'configs: []';
const cases: Broken[] = [
  {
    what: 'an unknown key',
    to: 'retries: 3',
    says: 'retries: unknown key "retries"; expected one of name, regions,',
    at: 'retries',
  },
  {
    what: 'an unknown key below',
    from: 'objectives:',
    to: 'jobs: { retry: 3 }\nobjectives:',
    says: 'jobs.retry: unknown key "retry"; expected one of priority, compute,',
    at: 'retry',
  },
  {
    what: 'a key in other letters',
    to: 'policies:\n  leaseTTL: 30s',
    says: 'policies.leaseTTL: unknown key "leaseTTL"; did you mean "leaseTtl"?',
    at: 'leaseTTL',
  },
  {
    what: 'a key twice',
    to: 'name: other',
    says: 'expected each key once, got "name" again',
    at: 'name: other',
  },
  {
    what: 'the same region twice',
    from: 'westus3:',
    to: 'eastus:',
    says: 'expected each key once, got "eastus" again',
    at: 'ml-west',
  },
  {
    what: 'no regions',
    from: /regions:[\s\S]*?(?=controlStore)/,
    to: '',
    says: 'regions: missing: expected an object',
    at: undefined,
  },
  {
    what: 'one region',
    from: /  westus3:.*\n/,
    to: '',
    says: 'regions: expected exactly two regions, got 1 (eastus)',
    at: 'regions:',
  },
  {
    what: 'three regions',
    from: '  westus3:',
    to: '  westus2: { workspace: { subscriptionId: 11111111-2222-3333-4444-555555555555, resourceGroup: g, name: third } }\n  westus3:',
    says: 'regions: expected exactly two regions, got 3 (eastus, westus2, westus3)',
    at: 'regions:',
  },
  {
    what: 'the same workspace twice',
    from: 'resourceGroup: ml-west, name: fraud-west',
    to: 'resourceGroup: ML-East, name: fraud-east',
    says: 'regions.westus3.workspace: expected a workspace of its own, got "fraud-east", which region "eastus" has already',
    at: 'westus3:',
  },
  {
    what: "a region's display name",
    from: 'westus3:',
    to: 'West US 3:',
    says: 'regions.West US 3: expected the name of an Azure region in lower case, such as "eastus", got "West US 3"; did you mean "westus3"?',
    at: 'West US 3',
  },
  {
    what: 'a name too long',
    from: 'name: fraud-west',
    to: `name: ${'w'.repeat(41)}`,
    says: `regions.westus3.workspace.name: expected at most 33 characters, got 41 ("${'w'.repeat(41)}")`,
    at: 'westus3:',
  },
  {
    what: 'a name too short',
    from: 'name: fraud-west',
    to: 'name: fw',
    says: 'regions.westus3.workspace.name: expected at least 3 characters, got 2 ("fw")',
    at: 'westus3:',
  },
  {
    what: 'a name with a space',
    from: 'name: fraud-west',
    to: 'name: "fraud west"',
    says: 'regions.westus3.workspace.name: expected letters, digits, "-" and "_", starting with a letter or digit, got "fraud west"',
    at: 'westus3:',
  },
  {
    what: 'a number for a name',
    from: 'name: fraud-west',
    to: 'name: 12345',
    says: 'regions.westus3.workspace.name: expected a string, got 12345',
    at: 'westus3:',
  },
  {
    what: 'a workspace without a group',
    from: 'resourceGroup: ml-west, ',
    to: '',
    says: 'regions.westus3.workspace.resourceGroup: missing: expected a string',
    at: 'westus3:',
  },
  {
    what: 'a name in capitals',
    from: 'name: fraud-ml',
    to: 'name: Fraud ML',
    says: 'name: expected lower-case letters, digits and "-", got "Fraud ML"',
    at: 'name: Fraud',
  },
  {
    what: 'an active region that is none',
    to: 'active: northeurope',
    says: 'active: expected one of the regions (eastus, westus3), got "northeurope"',
    at: 'active',
  },
  {
    what: 'a strategy that is none',
    from: 'inference: hot-warm',
    to: 'inference: warm',
    says: 'strategies.inference: expected "hot-hot" or "hot-warm" or "hot-cold", got "warm"',
    at: 'strategies',
  },
  {
    what: 'a class hotter than its platform',
    from: 'inference: hot-warm',
    to: 'inference: hot-hot',
    says: 'strategies.inference: expected at most "hot-warm", the strategy of platform, got "hot-hot"',
    at: 'strategies',
  },
  {
    what: 'a strategy that has no plan yet',
    from: 'training: hot-warm',
    to: 'training: hot-cold',
    says: 'strategies.training: expected "hot-warm", the one strategy that this version offers, got "hot-cold"',
    at: 'strategies',
  },
  {
    what: 'a platform hotter than there is a plan for',
    from: 'platform: hot-warm',
    to: 'platform: hot-hot',
    says: 'strategies.platform: expected "hot-warm", the one strategy that this version offers, got "hot-hot"',
    at: 'strategies',
  },
  {
    what: 'no time at all as an objective',
    from: 'rto: 15m',
    to: 'rto: 0s',
    says: 'objectives.inference.rto: expected at least "1s" and at most "90d", got "0s"',
    at: 'rto:',
  },
  {
    what: 'more than a year as an objective',
    from: 'rpo: 1h',
    to: 'rpo: 400d',
    says: 'objectives.inference.rpo: expected at least "1s" and at most "90d", got "400d"',
    at: 'rpo:',
  },
  {
    what: 'a skew of days',
    to: 'policies: { clockSkew: 2d }',
    says: 'policies.clockSkew: expected at most "1h", got "2d"',
    at: 'clockSkew',
  },
  {
    what: 'a probe that is not HTTP',
    from: 'configs: []',
    to: 'probes: [ { http: "ftp://score.example.com/" } ]',
    says: 'probes[0].http: expected a URL such as "https://score.example.com/health", got "ftp://score.example.com/"',
    at: 'probes',
  },
  {
    what: 'a class that is none',
    from: 'inference: hot-warm',
    to: 'scoring: hot-warm',
    says: 'strategies.scoring: unknown key "scoring"; expected one of platform, data, training, inference',
    at: 'strategies',
  },
  {
    what: 'a duration in words',
    from: 'rto: 15m',
    to: 'rto: 15 minutes',
    says: 'objectives.inference.rto: expected a duration such as "90s", "15m", "2h" or "1d", got "15 minutes"',
    at: 'rto:',
  },
  {
    what: 'a duration without a unit',
    from: 'rto: 15m',
    to: 'rto: 15',
    says: 'objectives.inference.rto: expected a string, got 15',
    at: 'rto:',
  },
  {
    what: 'no control store',
    from: /controlStore:.*\n/,
    to: '',
    says: 'controlStore: missing: expected an object',
    at: undefined,
  },
  {
    what: 'an empty control store',
    from: /controlStore:.*\n/,
    to: 'controlStore:\n',
    says: 'controlStore: missing: expected an object',
    at: 'controlStore:',
  },
  {
    what: 'an impossible storage account',
    from: 'fraudcontrol',
    to: 'Fraud-Control',
    says: 'controlStore.storageAccount: expected 3 to 24 lower-case letters and digits, got "Fraud-Control"',
    at: 'controlStore:',
  },
  {
    what: 'an impossible container',
    from: 'fraudcontrol',
    to: 'fraudcontrol, container: A_B',
    says: 'controlStore.container: expected 3 to 63 lower-case letters, digits and single "-", got "A_B"',
    at: 'controlStore:',
  },
  {
    what: 'no versions to carry',
    to: 'artifacts: { versions: 0 }',
    says: 'artifacts.versions: expected at least 1, got 0',
    at: 'artifacts',
  },
  {
    what: 'half a version',
    to: 'artifacts: { versions: 1.5 }',
    says: 'artifacts.versions: expected a whole number, got 1.5',
    at: 'artifacts',
  },
  {
    what: 'too much at once',
    to: 'artifacts: { concurrency: 1000 }',
    says: 'artifacts.concurrency: expected at most 256, got 1000',
    at: 'artifacts',
  },
  {
    what: 'a glob that is no list',
    to: 'artifacts: { include: "**" }',
    says: 'artifacts.include: expected a list, got "**"',
    at: 'artifacts',
  },
  {
    what: 'a YAML 1.1 yes',
    to: 'jobs: { interactive: yes }',
    says: 'jobs.interactive: expected "manual" or "skip", got "yes"',
    at: 'jobs',
  },
  {
    what: 'a probe without a scheme',
    to: 'probes: [{ http: score.example.com }]',
    says: 'probes[0].http: expected a URL such as "https://score.example.com/health", got "score.example.com"',
    at: 'probes',
  },
  {
    what: 'an impossible status',
    to: 'probes: [{ http: "https://x.example/", expect: 999 }]',
    says: 'probes[0].expect: expected at most 599, got 999',
    at: 'probes',
  },
  {
    what: 'a config file without a host',
    from: target,
    to: 'configs: [{ file: /etc/ml/.env }]',
    says: 'configs[0].host: missing: expected a string',
    at: 'configs',
  },
  {
    what: 'a working copy without files',
    from: target,
    to: 'configs: [{ host: a, git: /srv/t }]',
    says: 'configs[0].files: missing: expected a list',
    at: 'configs',
  },
  {
    what: 'a working copy with no file',
    from: target,
    to: 'configs: [{ host: a, git: /srv/t, files: [] }]',
    says: 'configs[0].files: expected at least 1 in the list, got an empty list',
    at: 'configs',
  },
  {
    what: 'a target of both kinds',
    from: target,
    to: 'configs: [{ host: a, git: /srv/t, files: [b], file: c }]',
    says: 'configs[0].file: expected { host, file } or { host, git, files }, got "file" with the keys of the other',
    at: 'configs',
  },
  {
    what: 'an unknown key of a target',
    from: target,
    to: 'configs:\n  - { host: a, file: /b }\n  - { host: a, file: /c, mode: x }',
    says: 'configs[1].mode: unknown key "mode"',
    at: 'mode',
  },
  {
    what: 'a target that is a path',
    from: target,
    to: 'configs: [/etc/ml/.env]',
    says: 'configs[0]: expected { host, file } or { host, git, files }, got "/etc/ml/.env"',
    at: 'configs',
  },
  {
    what: 'targets that are no list',
    from: target,
    to: 'configs: { host: a, file: /b }',
    says: 'configs: expected a list, got an object with host, file',
    at: 'configs',
  },
  {
    what: 'an origin of another region',
    to: 'traffic: { frontDoor: { subscriptionId: 11111111-2222-3333-4444-555555555555, resourceGroup: g, profile: p, originGroup: o, origins: { eastus: e, northeurope: n } } }',
    says: 'traffic.frontDoor.origins.northeurope: expected one of the regions (eastus, westus3), got "northeurope"',
    at: 'northeurope',
  },
  {
    what: 'a vault that is no URL',
    to: 'escrow: { vaults: { eastus: fraud-east } }',
    says: 'escrow.vaults.eastus: expected the URI of a key vault, such as "https://my-vault.vault.azure.net/", got "fraud-east"',
    at: 'escrow',
  },
  {
    what: 'a vault of one region only',
    to: 'escrow: { vaults: { eastus: "https://fraud-east.vault.azure.net" } }',
    says: 'escrow.vaults: expected one for each region, got none for "westus3"',
    at: 'escrow',
  },
  {
    what: 'one origin for both regions',
    to: 'traffic: { frontDoor: { subscriptionId: 11111111-2222-3333-4444-555555555555, resourceGroup: g, profile: p, originGroup: o, origins: { eastus: e, westus3: E } } }',
    says: 'traffic.frontDoor.origins: expected a different one for each region, got "e" for both',
    at: 'traffic',
  },
  {
    what: 'a probe that is no web address',
    to: 'probes: [{ http: "localhost:8080/score" }]',
    says: 'probes[0].http: expected a URL such as "https://score.example.com/health", got "localhost:8080/score"',
    at: 'probes',
  },
  {
    what: 'no time at all for a request',
    to: 'policies: { requestTimeout: 0s }',
    says: 'policies.requestTimeout: expected at least "1s" and at most "24d", got "0s"',
    at: 'policies',
  },
  {
    what: 'a deadline that no timer can count',
    to: 'policies: { provisionDeadline: 40d }',
    says: 'policies.provisionDeadline: expected at least "1s" and at most "24d", got "40d"',
    at: 'policies',
  },
  {
    what: 'the name of a subscription for its id',
    from: /subscriptionId: \S+, resourceGroup: ml-west/,
    to: 'subscriptionId: hello, resourceGroup: ml-west',
    says: 'regions.westus3.workspace.subscriptionId: expected the id of a subscription, such as "11111111-2222-3333-4444-555555555555", got "hello"',
    at: 'westus3:',
  },
  {
    what: 'a front of a subscription that is none',
    to: 'traffic: { frontDoor: { subscriptionId: prod, resourceGroup: g, profile: p, originGroup: o, origins: { eastus: e, westus3: w } } }',
    says: 'traffic.frontDoor.subscriptionId: expected the id of a subscription',
    at: 'traffic:',
  },
  {
    what: 'a slip in the name of a region',
    from: 'westus3:',
    to: 'wetsus3:',
    says: 'regions.wetsus3: expected the name of an Azure region, got "wetsus3"; did you mean "westus3"?',
    at: 'wetsus3:',
  },
  {
    what: 'an active region that is nearly one',
    to: 'active: eastu',
    says: 'active: expected one of the regions (eastus, westus3), got "eastu"; did you mean "eastus"?',
    at: 'active',
  },
  {
    what: "a control store in the active workspace's resource group",
    from: 'resourceGroup: ml-control',
    to: 'resourceGroup: ML-East',
    says: 'controlStore.resourceGroup: expected a resource group of its own, outside both regions, got "ML-East", which holds the workspace of "eastus"',
    at: 'controlStore:',
  },
  {
    what: "a control store in the standby workspace's resource group",
    from: 'resourceGroup: ml-control',
    to: 'resourceGroup: ml-west',
    says: 'controlStore.resourceGroup: expected a resource group of its own, outside both regions, got "ml-west", which holds the workspace of "westus3"',
    at: 'controlStore:',
  },
  {
    what: 'a kind of asset that is none',
    to: 'artifacts: { include: ["modles/**"] }',
    says: 'artifacts.include[0]: expected a kind first (models, data, environments, components, codes), got "modles/**"; did you mean "models"?',
    at: 'modles',
  },
  {
    what: 'a kind to leave out that is none',
    to: 'artifacts:\n  exclude:\n    - data/scratch/**\n    - jobs/**',
    says: 'artifacts.exclude[1]: expected a kind first (models, data, environments, components, codes), got "jobs/**"',
    at: 'jobs/**',
  },
  {
    what: 'a glob over kinds of which there is none',
    to: 'artifacts: { include: ["{mod,dat}/**"] }',
    says: 'artifacts.include[0]: expected a kind first (models, data, environments, components, codes), got "{mod,dat}/**"',
    at: '{mod',
  },
  {
    what: 'a variable that does not end',
    from: 'name: fraud-ml',
    to: 'name: "${NO SUCH"',
    says: 'expected a variable such as ${NAME} (capital letters, digits and "_"), got "${NO SUCH"',
    at: 'name: "${NO',
  },
  {
    what: 'a variable with a space in it',
    from: 'name: fraud-ml',
    to: 'name: "${NO SUCH}-ml"',
    says: 'expected a variable such as ${NAME} (capital letters, digits and "_"), got "${NO SUCH}"',
    at: 'name: "${NO',
  },
  {
    what: 'a value that is nearly one',
    from: 'inference: hot-warm',
    to: 'inference: hot_warm',
    says: 'strategies.inference: expected "hot-hot" or "hot-warm" or "hot-cold", got "hot_warm"; did you mean "hot-warm"?',
    at: 'strategies',
  },
  {
    what: 'a key that is nearly one, far below',
    from: /configs: \[]/,
    to: 'traffic: { frontdoor: {} }',
    says: 'traffic.frontdoor: unknown key "frontdoor"; did you mean "frontDoor"?',
    at: 'traffic',
  },
  {
    what: 'a second document',
    to: '---\nname: other',
    says: 'expected one YAML document, got a second one',
    at: '---',
  },
  {
    what: 'an alias that leads nowhere',
    from: 'name: fraud-ml',
    to: 'name: *nope',
    says: 'Unresolved alias',
    at: '*nope',
  },
  {
    what: 'a tab',
    from: '  eastus:',
    to: '\teastus:',
    says: 'Tabs are not allowed as indentation',
    at: '\teastus',
  },
];

/** `file:line:column`, of where `part` begins in `text`. */
function placeOf(text: string, part: string): string {
  const line = lineOf(text, part);
  return `${file}:${line}:${(text.split('\n')[line - 1] ?? '').indexOf(part) + 1}`;
}

describe('a broken topology', () => {
  it.each(cases)('with $what is refused', ({ from, to, says, at }) => {
    const text = from === undefined ? `${minimal}${to}\n` : minimal.replace(from, to);
    expect(text).not.toBe(minimal);
    const error = refusal(text);
    expect(error.exitCode).toBe(2);
    const line = at === undefined ? 1 : lineOf(text, at);
    const [, column, said] =
      new RegExp(`^cannot load topology: ${file}:${line}:(\\d+): (.*)$`).exec(error.message) ?? [];
    expect(said, error.message).toContain(says);
    expect(said?.indexOf(says)).toBe(0);
    expect(error.details.place).toBe(`${file}:${line}:${column}`);
    expect(error.details.next).toContain('understudy validate');
  });

  it.each([
    ['a value in braces', 'name: fraud-west', 'name: fw', 'name: fw'],
    ['a value on a line of its own', 'rto: 15m', 'rto: soon', 'rto: soon'],
    ['an unknown key', 'configs: []', 'jobs: { retry: 3 }', 'retry'],
    ['an item of a list', 'configs: []', 'configs: [/etc/ml/.env]', '/etc'],
    ['what lacks a key', 'configs: []', 'configs:\n  - { host: a, file: /b }\n  - { host: c }', '{ host: c }'],
    ['what is no YAML', '  eastus:', '\teastus:', '\teastus'],
    ['a variable that is not set', 'rto: 15m', 'rto: "${RTO}"', '"${RTO}"'],
  ])('names the line and column of %s', (_what, from, to, at) => {
    const text = minimal.replace(from, to);
    expect(refusal(text).message).toContain(`cannot load topology: ${placeOf(text, at)}: `);
  });

  it.each([
    ['nothing', '', 'got nothing'],
    ['a word', 'hello', 'got "hello"'],
    ['a list', '- a\n- b', 'got a list of 2'],
  ])('that is %s is refused', (_what, text, got) => {
    expect(refusal(text).message).toBe(
      `cannot load topology: ${file}:1:1: expected a topology (name, regions, controlStore, …), ${got}`,
    );
  });

  it('is told everything that is wrong at once, each with its place', () => {
    const text = minimal.replace('rto: 15m', 'rto: soon').replace('fraudcontrol', 'X');
    const { message, details } = refusal(text);
    expect(message.split('\n')).toEqual([
      'cannot load topology, 2 problems:',
      `${placeOf(text, 'storageAccount')}: controlStore.storageAccount: expected 3 to 24 lower-case letters and digits, got "X"`,
      `${placeOf(text, 'rto:')}: objectives.inference.rto: expected a duration such as "90s", "15m", "2h" or "1d", got "soon"`,
    ]);
    expect(details.place).toBe(placeOf(text, 'storageAccount'));
  });

  it('that is cut short says where YAML lost the thread', () => {
    expect(refusal(minimal.slice(0, minimal.indexOf('ml-west'))).message).toMatch(
      /^cannot load topology: \S+:\d+:\d+: /m,
    );
  });

  it('that would unfold without end is refused, not unfolded', () => {
    const levels = ['a: &a [x,x,x,x,x,x,x,x,x,x]'];
    for (const [one, next] of [
      ['a', 'b'],
      ['b', 'c'],
      ['c', 'd'],
    ] as const) {
      levels.push(`${next}: &${next} [${Array.from({ length: 10 }, () => `*${one}`).join(',')}]`);
    }
    expect(refusal(levels.join('\n')).message).toContain('Excessive alias count');
  });
});

describe('a topology', () => {
  it('as init writes it is refused for its subscription alone, at each place of it, and then valid', () => {
    const { message } = refusal(starterTopology);
    expect(message.split('\n')).toEqual([
      'cannot load topology, 3 problems:',
      ...['regions.eastus.workspace', 'regions.westus3.workspace', 'controlStore'].map((path) =>
        expect.stringMatching(
          new RegExp(`: ${path}\\.subscriptionId: expected the id of your subscription .*got the placeholder of`),
        ),
      ),
    ]);
    const own = starterTopology.replaceAll(placeholderSubscription, subscription);
    const { topology, warnings } = checkTopology(own, file);
    expect(Object.keys(topology.regions)).toEqual(['eastus', 'westus3']);
    expect(warnings).toEqual([]);
  });

  it('may be small: the rest has defaults', () => {
    const topology = parseTopology(minimal, file);
    expect(topology).toMatchObject({
      controlStore: { container: 'understudy' },
      artifacts: { include: ['**'], exclude: [], versions: 20 },
      jobs: { interactive: 'manual', checkpoint: { output: 'checkpoints', input: 'resume_from' } },
      probes: [],
      policies: { leaseTtl: '30s', clockSkew: '5s' },
    });
    expect(toSeconds(topology.policies.requestTimeout)).toBeGreaterThan(0);
    const strategies = minimal.replace(/strategies:.*\n/, '');
    expect(parseTopology(strategies, file).strategies).toEqual({
      platform: 'hot-warm',
      data: 'hot-warm',
      training: 'hot-warm',
      inference: 'hot-warm',
    });
  });

  it('takes values from the environment, in values only', () => {
    const text = minimal
      .replace('name: fraud-ml', 'name: "${NAME}-${STAGE}"')
      .replace('resourceGroup: ml-control', 'resourceGroup: "${GROUP}"');
    const topology = parseTopology(text, file, { NAME: 'fraud', STAGE: 'prod', GROUP: '0042' });
    expect(topology.name).toBe('fraud-prod');
    // What looks like a number stays the text that it is.
    expect(topology.controlStore.resourceGroup).toBe('0042');
  });

  it('names each variable that is not set, or is empty, and its place', () => {
    const text = minimal.replace('name: fraud-ml', 'name: ${NAME}').replace('rto: 15m', 'rto: "${RTO}"');
    expect(refusal(text, { RTO: '' }).message.split('\n')).toEqual([
      'cannot load topology, 2 problems:',
      `${placeOf(text, '${NAME}')}: expected the environment variable NAME to be set, got nothing`,
      `${placeOf(text, '"${RTO}"')}: expected the environment variable RTO to be set, got nothing`,
    ]);
  });

  it('says that a variable inside { } needs quotes', () => {
    const text = minimal.replace('rto: 15m', 'rto: ${RTO}');
    expect(refusal(text, { RTO: '15m' }).message).toMatch(
      new RegExp(`:${lineOf(text, 'RTO')}:\\d+: .*: inside { } a variable needs quotes: "\\$\\{RTO}"$`),
    );
  });

  it('says what a variable brought where that is wrong', () => {
    expect(refusal(minimal.replace('name: fraud-ml', 'name: ${NAME}'), { NAME: 'A B' }).message).toContain(
      'name: expected lower-case letters, digits and "-", got "A B"',
    );
  });

  it('leaves alone what is no variable: $NAME, ${lower}, ${{ of Azure }}, comments', () => {
    const text = `${minimal}probes: [{ http: "https://x.example/$HOME/\${lower}" }] # \${COMMENT}\n`;
    expect(parseTopology(text, file).probes[0]?.http).toBe('https://x.example/$HOME/${lower}');
    const scoring = `${minimal}scoring: { score: { text: "\${{ inputs.a }}" } } # \${NO SUCH\n`;
    expect(parseTopology(scoring, file).scoring).toEqual({ score: { text: '${{ inputs.a }}' } });
  });

  it.each([
    ['a region that nothing is like', 'atlantis', '"atlantis" is no Azure region that this version knows: check it'],
    ['a region that Azure may have added', 'westus4', 'knows (the nearest is "westus"): check it with'],
    ['a region of another direction', 'eastindia', 'knows (the nearest is "westindia"): check it with'],
  ])('may have %s: a warning, with its place', (_what, region, says) => {
    const text = minimal.replace('westus3:', `${region}:`);
    const { topology, warnings } = checkTopology(text, file);
    expect(Object.keys(topology.regions)).toEqual(['eastus', region]);
    expect(warnings.map((each) => showProblem(file, each))).toEqual([expect.stringContaining(says)]);
    expect(showProblem(file, warnings[0]!)).toContain(`${placeOf(text, region)}: regions.${region}: `);
  });

  it.each(['usgovvirginia', 'chinanorth3', 'westeurope'])('may be of any cloud: %s', (region) => {
    expect(checkTopology(minimal.replace('westus3:', `${region}:`), file).warnings).toEqual([]);
  });

  it.each([
    ['models/fraud', 1],
    ['**', 0],
    ['models/**', 0],
    ['{models,data}/fraud*/*', 0],
    ['*/fraud/3', 0],
    ['*', 1],
  ])('with the glob %s has %i warnings: a glob that can match no version has one', (glob, count) => {
    const { warnings } = checkTopology(`${minimal}artifacts: { include: ["${glob}"] }\n`, file);
    expect(warnings).toHaveLength(count);
    for (const { path, message } of warnings)
      expect(`${path}: ${message}`).toContain(`artifacts.include[0]: "${glob}" matches no asset`);
  });
});
