/** When the workflows are compiled again. */
import { expect, it } from 'vitest';
import { digestOfSources } from '../src/worker.ts';

it('another version of Temporal’s SDK makes another bundle of the same workflows', async () => {
  expect(await digestOfSources()).toBe(await digestOfSources());
  const other = (name: string) => (name === '@temporalio/workflow' ? '9.9.9' : '1.0.0');
  expect(await digestOfSources(other)).not.toBe(await digestOfSources(() => '1.0.0'));
});
