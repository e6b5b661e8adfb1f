import { expect, test } from 'vitest';
import { makeReference, readReference } from '../../docs/make-topology-reference.ts';

const reference = makeReference();

test.each(Object.entries(reference))('docs/%s is what the schema makes', (name, text) => {
  expect(readReference(name), 'run: node docs/make-topology-reference.ts').toBe(text);
});

test('every key of the schema has a line', () => {
  const keys = [...reference['topology.md'].matchAll(/^\| `([^`]+)` \|/gm)].map(([, key]) => key);
  for (const key of [
    'regions.REGION.workspace.name',
    'controlStore.container',
    'configs[].host',
    'configs[].branch',
    'traffic.frontDoor.origins',
    'escrow.vaults',
    'policies.leaseTtl',
  ]) {
    expect(keys).toContain(key);
  }
});

test('a default is told as it is, and a required key as required', () => {
  expect(reference['topology.md']).toContain('| `policies.leaseTtl` | duration | `"30s"` |');
  expect(reference['topology.md']).toMatch(/\| `controlStore\.storageAccount` \| string \| required \|/);
});
