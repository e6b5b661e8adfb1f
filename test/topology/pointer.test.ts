import { describe, expect, it } from 'vitest';
import { firstPointer, isTakenBy, RegionPointer, serves, showWeights, takeOver } from '../../src/topology/pointer.ts';
import { declaredActive, otherRegion, sideOf, workspaceId } from '../../src/topology/sides.ts';
import { showDuration, toSeconds } from '../../src/topology/duration.ts';
import { topologyOf } from './minimal.ts';

const now = new Date('2026-11-21T10:00:00.000Z');

describe('the region pointer', () => {
  it('begins in epoch 1, with one region that writes and serves', () => {
    expect(firstPointer('eastus', 'replicate', now)).toEqual({
      epoch: { number: 1, issuer: 'control-store' },
      writer: 'eastus',
      serving: {
        platform: { eastus: 100 },
        data: { eastus: 100 },
        training: { eastus: 100 },
        inference: { eastus: 100 },
      },
      changedBy: 'replicate',
      changedAt: '2026-11-21T10:00:00.000Z',
    });
  });

  it('rises by one at a takeover, and remembers how long the old lease may be believed in', () => {
    const lease = { holder: 'replicate-1', expiresAt: now.getTime() + 20_000 };
    const taken = takeOver({ ...firstPointer('eastus', 'x', now), lease }, 'westus3', 'run-1', now, 5000);
    expect(taken).toMatchObject({
      epoch: { number: 2, issuer: 'control-store' },
      writer: 'westus3',
      takenBy: { run: 'run-1', epoch: 2 },
      changedBy: 'run-1',
    });
    expect(taken.serving.platform).toEqual({ eastus: 100 }); // served until its own switch
    expect(taken.oldWritersUntil).toBe(now.getTime() + 25_000);
    expect(taken.lease).toBeUndefined();
    const again = takeOver(taken, 'eastus', 'run-2', now, 5000);
    expect(again.epoch.number).toBe(3);
    expect(again.oldWritersUntil).toBeUndefined(); // nobody held a lease in epoch 2
  });

  it('is taken by a run until somebody else changes the writer, whatever else is changed', () => {
    const first = firstPointer('eastus', 'x', now);
    const taken = takeOver(first, 'westus3', 'run-1', now, 0);
    expect(isTakenBy(first, 'run-1', 'eastus')).toBe(false);
    expect(isTakenBy(taken, 'run-1', 'westus3')).toBe(true);
    expect(isTakenBy(taken, 'run-1', 'eastus')).toBe(false);
    expect(isTakenBy(taken, 'run-2', 'westus3')).toBe(false);
    expect(isTakenBy({ ...taken, changedBy: 'run-2' }, 'run-1', 'westus3')).toBe(true);
    expect(isTakenBy({ ...taken, epoch: { ...taken.epoch, number: 3 } }, 'run-1', 'westus3')).toBe(false);
  });

  it('says who serves a unit by weights; the writer serves what has none', () => {
    const serving = { inference: { eastus: 60, westus3: 40 }, data: { eastus: 0, westus3: 100 } };
    const pointer = { ...firstPointer('eastus', 'x', now), serving };
    const asked = (unit: string) => ['eastus', 'westus3'].map((region) => serves(pointer, unit, region));
    expect(asked('inference')).toEqual([true, true]);
    expect(asked('data')).toEqual([false, true]);
    expect(asked('score')).toEqual([true, false]);
    expect(showWeights(serving.inference)).toBe('eastus 60 %, westus3 40 %');
    expect(showWeights(serving.data)).toBe('westus3');
  });

  it.each([
    [{ eastus: 60, westus3: 30 }, false],
    [{ eastus: 60, westus3: 40 }, true],
    [{ eastus: 100 }, true],
    [{ eastus: 99.5, westus3: 0.5 }, false],
    [{ eastus: 150, westus3: -50 }, false],
    ['eastus', false],
  ])('takes the weights %j: %s', (weights, valid) => {
    const pointer = { ...firstPointer('eastus', 'x', now), serving: { data: weights } };
    expect(RegionPointer.safeParse(pointer).success).toBe(valid);
  });
});

describe('the two sides', () => {
  it('are named by the topology', () => {
    const topology = topologyOf();
    expect(declaredActive(topology)).toBe('eastus');
    expect(declaredActive(topologyOf('active: westus3\n'))).toBe('westus3');
    expect(otherRegion(topology, 'eastus')).toBe('westus3');
    expect(sideOf(topology, 'westus3').workspace.name).toBe('fraud-west');
    expect(() => sideOf(topology, 'northeurope')).toThrow('expected one of eastus, westus3');
    expect(workspaceId(sideOf(topology, 'eastus').workspace)).toBe(
      '/subscriptions/11111111-2222-3333-4444-555555555555/resourceGroups/ml-east/providers/Microsoft.MachineLearningServices/workspaces/fraud-east',
    );
  });
});

describe('durations', () => {
  it.each([
    ['90s', 90],
    ['15m', 900],
    ['2h', 7200],
    ['1d', 86_400],
    ['0s', 0],
  ])('%s is %i seconds', (text, seconds) => expect(toSeconds(text)).toBe(seconds));

  it.each(['', '15', 'm', '1.5h', '-1s', '1 h', '1w'])('%j is none', (text) => {
    expect(() => toSeconds(text)).toThrow(RangeError);
  });

  it.each([
    [0, '0ms'],
    [850, '850ms'],
    [12_340, '12.3s'],
    [59_940, '59.9s'],
    [59_990, '1m 00s'],
    [245_000, '4m 05s'],
    [3_599_600, '1h 00m'],
    [7_260_000, '2h 01m'],
  ])('%i ms reads %s', (milliseconds, text) => expect(showDuration(milliseconds)).toBe(text));
});
