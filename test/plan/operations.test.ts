import { expect, it } from 'vitest';
import { operationNames, operations, rowOf, workflowIdOf } from '../../src/plan/operations.ts';

it('operations that exclude one another share a workflow id; replication has its own', () => {
  const idOf = (operation: (typeof operationNames)[number], topology = 'fraud-ml') =>
    workflowIdOf({ topology, operation });
  for (const operation of operationNames) {
    expect(idOf(operation) === idOf('failover')).toBe(rowOf(operation).lease === 'run');
    expect(idOf(operation)).not.toBe(idOf(operation, 'other'));
  }
  expect(idOf('replicate')).not.toBe(idOf('failover'));
});

it('only a recovery point by itself has a deadline: nobody waits for it, and the next one would be late', () => {
  expect(operationNames.filter((name) => rowOf(name).deadline !== undefined)).toEqual(['replicate']);
});

it('what moves the writer excludes every other move, and is undone by a cancel', () => {
  const moving = operationNames.filter((name) => rowOf(name).movesWriter);
  expect(moving).toEqual(['switchover', 'failback', 'failover']);
  for (const name of moving) expect(operations[name]).toMatchObject({ lease: 'run', cancel: 'undo' });
});
