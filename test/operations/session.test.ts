/** What a command works with is checked when it is opened, not in the midst of its work. */
import { describe, expect, it } from 'vitest';
import type { LoadedTopology } from '../../src/bundle/make-bundle.ts';
import { release } from '../../src/release.ts';
import { azureFrom, claim } from '../../src/operations/session.ts';
import { fakeControlStore } from '../fakes/control-store.ts';

const file = 'understudy.yaml';
const loaded = (name: string) => ({ file, topology: { name } }) as LoadedTopology;

describe('a control store', () => {
  it('serves the topology that used it first, and no other', async () => {
    const store = fakeControlStore();
    await Promise.all([claim(store, loaded('fraud-ml')), claim(store, loaded('fraud-ml'))]);
    await claim(store, loaded('fraud-ml'));
    await expect(claim(store, loaded('churn-ml'))).rejects.toMatchObject({
      code: 'TopologyError',
      message: 'it belongs to the topology "fraud-ml", and "understudy.yaml" is "churn-ml"',
      details: { next: expect.stringContaining('controlStore.container') },
    });
    expect([...store.documents.keys()]).toEqual(['topology.json']);
  });

  it.each([
    ['another build of this release', { version: 2, release }, `was written by another build of release ${release}`],
    ['a release before', {}, 'names no release'],
  ])('of %s is refused at the door', async (_what, by, says) => {
    const store = fakeControlStore();
    await store.write('topology.json', JSON.stringify({ topology: 'fraud-ml', ...by }), 'application/json');
    await expect(claim(store, loaded('fraud-ml'))).rejects.toMatchObject({
      code: 'ControlStoreError',
      message: expect.stringContaining(says) as string,
      details: { next: expect.stringContaining('or a new container') as string },
    });
  });
});

describe('the environment', () => {
  it.each([
    ['AZURE_AUTHORITY_HOST', 'localhost'],
    ['AZURE_AUTHORITY_HOST', 'http://localhost'],
    ['AZURE_RESOURCE_MANAGER_ENDPOINT', 'management.azure.com'],
  ])('with %s=%s is refused, and named', (name, value) => {
    expect(() => azureFrom({ [name]: value })).toThrow(
      expect.objectContaining({
        exitCode: 2,
        message: expect.stringMatching(new RegExp(`${name}: expected a URL such as .*, got "${value}"`)),
      }),
    );
  });

  it('with an empty variable is one without it', () => {
    expect(() => azureFrom({ AZURE_AUTHORITY_HOST: '', AZURE_RESOURCE_MANAGER_ENDPOINT: '' })).not.toThrow();
  });
});
