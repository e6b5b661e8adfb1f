/** What is found of the escrow vault, and of each secret in it. */
import { expect, it } from 'vitest';
import type { SealedManifest, SecretRef } from '../../src/recovery-point/manifest.ts';
import type { Azure } from '../../src/azure/azure.ts';
import { answerError, azureError } from '../../src/azure/errors.ts';
import type { StandbyFinding } from '../../src/standby/findings.ts';
import type { Look } from '../../src/standby/inspection.ts';
import { checkSecrets } from '../../src/standby/check-secrets.ts';
import { sideOf } from '../../src/topology/sides.ts';
import { topologyOf } from '../topology/minimal.ts';

const uri = 'https://escrow.vault.azure.net';
const topology = topologyOf(`escrow: { vaults: { eastus: "${uri}", westus3: "${uri}" } }\n`);
const refOf = (kind: SecretRef['kind'], name: string): SecretRef => ({
  kind,
  name,
  secret: `of-${name}`,
  version: '1',
});
const lake = refOf('datastore', 'lake');
const feed = refOf('connection', 'feed');
const score = refOf('endpoint', 'score');

type Says = 'there' | 'gone' | 'refused' | 'silent';

function say(says: Says): Promise<string | undefined> {
  switch (says) {
    case 'there':
      return Promise.resolve('a secret');
    case 'gone':
      return Promise.resolve(undefined);
    case 'refused':
      return Promise.reject(answerError('GET', { status: 403, headers: { get: () => undefined } }));
    case 'silent':
      return Promise.reject(azureError('GET', new Error('ECONNREFUSED')));
  }
}

/** `access`: what is said of a name that nothing has. */
function look(secrets: [SecretRef, Says][], access: Says = 'gone', asWorker = false): Promise<StandbyFinding[]> {
  const get = (name: string) => say(secrets.find(([{ secret }]) => secret === name)?.[1] ?? access);
  const sealed = { secrets: secrets.map(([ref]) => ref), sharing: { things: [], inBoth: [] } };
  const { signal } = new AbortController();
  return checkSecrets({
    azure: { vault: () => ({ get }) } as unknown as Azure,
    topology,
    from: sideOf(topology, 'eastus'),
    to: sideOf(topology, 'westus3'),
    sealed: sealed as unknown as SealedManifest,
    hasTemplate: false,
    asWorker,
    signal,
    deadline: signal,
  } satisfies Look);
}

const shown = (found: StandbyFinding[]) =>
  found.map(({ id, severity, acceptable, classes }) => [id, severity, acceptable, classes.join()]);

it('a vault that gives all of them is nothing to speak of', async () => {
  expect(await look([[lake, 'there']])).toEqual([]);
  expect(await look([], 'refused')).toEqual([]);
});

it.each([false, true])(
  'a secret that is refused is one of its own, the first like any other (by a worker: %s)',
  async (asWorker) => {
    const found = await look(
      [
        [lake, 'refused'],
        [feed, 'there'],
        [score, 'refused'],
      ],
      'gone',
      asWorker,
    );
    expect(shown(found)).toEqual([
      ['secret:datastore/lake', 'refused', true, 'data'],
      ['secret:endpoint/score', 'refused', true, 'inference'],
    ]);
    expect(found[0]?.what).toBe(`the escrow vault ${uri} refuses the secret of datastore lake: GET: (HTTP 403)`);
    const alone = await look([[lake, 'refused']], 'gone', asWorker);
    expect(alone.map(({ id }) => id)).toEqual(['secret:datastore/lake']);
  },
);

it('a secret that is gone is one of its own, and all of them are one', async () => {
  const one = await look([
    [lake, 'there'],
    [feed, 'gone'],
  ]);
  expect(shown(one)).toEqual([['secret:connection/feed', 'refused', true, 'platform']]);
  const all = await look([
    [lake, 'gone'],
    [feed, 'gone'],
  ]);
  expect(shown(all)).toEqual([['secrets:westus3', 'refused', true, 'platform,data,inference']]);
});

it('a vault that gives nothing at all is refused to who carries the run out, and a warning to anyone else', async () => {
  const all: [SecretRef, Says][] = [
    [lake, 'refused'],
    [feed, 'refused'],
  ];
  const classes = 'platform,data,inference';
  expect(shown(await look(all, 'refused', true))).toEqual([['vault:westus3', 'refused', false, classes]]);
  expect(shown(await look(all, 'refused'))).toEqual([['vault:westus3', 'warning', false, classes]]);
});

it('a vault whose roles are given at each secret is not refused for the others', async () => {
  const found = await look(
    [
      [lake, 'there'],
      [feed, 'refused'],
    ],
    'refused',
  );
  expect(shown(found)).toEqual([['secret:connection/feed', 'refused', true, 'platform']]);
});

it('silence is a warning, and a silent vault is asked once', async () => {
  const [silent, ...others] = await look([[lake, 'there']], 'silent');
  expect(silent).toMatchObject({ id: 'vault:westus3', severity: 'warning' });
  expect(others).toEqual([]);
  const some = await look([
    [lake, 'there'],
    [feed, 'silent'],
  ]);
  expect(some.map(({ severity, what }) => [severity, what])).toEqual([
    ['warning', `1 of 2 secrets of the escrow vault ${uri} could not be read: connection feed`],
  ]);
});
