/** "Did you mean": near enough to be meant, and silent where nothing is. */
import { expect, it } from 'vitest';
import { didYouMean, nearest } from '../../src/topology/nearest.ts';

const words = ['include', 'exclude', 'versions', 'leaseTtl', 'resourceGroup'];

it.each([
  ['includes', 'include'],
  ['inclued', 'include'],
  ['Lease-TTL', 'leaseTtl'],
  ['resourcegroup', 'resourceGroup'],
  ['resource_group', 'resourceGroup'],
  ['version', 'versions'],
])('"%s" was meant to be "%s"', (word, meant) => {
  expect(nearest(word, words)).toBe(meant);
  expect(didYouMean(word, words)).toBe(`; did you mean "${meant}"?`);
});

it.each(['retry', 'in', 'group', ''])('"%s" was meant to be none of them', (word) => {
  expect(nearest(word, words)).toBeUndefined();
  expect(didYouMean(word, words)).toBe('');
});

it('of a short word hardly anything may differ', () => {
  expect(nearest('rt0', ['rto', 'rpo'])).toBe('rto');
  expect(nearest('ab', ['rto', 'rpo'])).toBeUndefined();
});
