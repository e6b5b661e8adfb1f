/** What a lost region pointer is made from. */
import { expect, it } from 'vitest';
import { findLostPointer } from '../../src/operations/restore-pointer.ts';
import type { Session } from '../../src/operations/session.ts';
import { fakeControlStore } from '../fakes/control-store.ts';
import { topologyOf } from '../topology/minimal.ts';

it('a run that cannot be read may be the last move: nothing is made from the others alone', async () => {
  const store = fakeControlStore();
  const session = { store, topology: topologyOf('') } as unknown as Session;
  expect(await findLostPointer(session)).toMatchObject({ writer: 'eastus', epoch: 2 });
  const place = 'runs/20261121T100000Z-failover-0001/run.json';
  await store.write(place, '{}', 'application/json');
  await expect(findLostPointer(session)).rejects.toMatchObject({
    code: 'ControlStoreError',
    message: expect.stringContaining(place) as string,
  });
});
