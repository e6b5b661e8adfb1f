/** Azure's own spellings, from its published examples: sizes name a family one way, usages another. */
import { describe, expect, it } from 'vitest';
import { compareQuota, type Machines, type Usage } from '../../src/operations/plans/quota.ts';

const sizes = [
  { name: 'Standard_DS3_v2', family: 'standardDSv2Family', vCPUs: 4 },
  { name: 'Standard_NC6s_v3', family: 'standardNCSv3Family', vCPUs: 6 },
];

function usage(name: string, currentValue: number, limit: number, type = 'vmFamily'): Usage {
  return {
    type: `Microsoft.MachineLearningServices/${type}/usages`,
    name: { value: name },
    currentValue,
    limit,
  };
}

const dsv2 = 'Standard DSv2 Family Cluster Dedicated vCPUs';
const cluster: Machines = { user: 'cpu-cluster', vmSize: 'STANDARD_DS3_V2', count: 4 };

describe('quota', () => {
  it('is too small where clusters and deployments together need more than is free', () => {
    const blue = { user: 'score/blue', vmSize: 'Standard_DS3_v2', count: 2 };
    const usages = [usage('Clusters', 1, 1), usage(dsv2, 4, 27)];
    expect(compareQuota({ wanted: [cluster, blue], present: [], sizes, usages }).problems).toEqual([
      { family: dsv2, needed: 24, used: 4, limit: 27, users: ['cpu-cluster', 'score/blue'] },
    ]);
    expect(compareQuota({ wanted: [cluster], present: [], sizes, usages }).problems).toEqual([]);
  });

  it('does not count twice what the standby has already', () => {
    const usages = [usage(dsv2, 16, 20)];
    const present = [{ ...cluster, count: 3 }];
    expect(compareQuota({ wanted: [cluster], present, sizes, usages }).problems).toEqual([]);
    expect(compareQuota({ wanted: [cluster], present: [], sizes, usages }).problems).toHaveLength(1);
  });

  it('is that of the subscription, not the share of one workspace of it', () => {
    const usages = [usage(dsv2, 0, 4, 'workspaces'), usage(dsv2, 0, 24)];
    expect(compareQuota({ wanted: [cluster], present: [], sizes, usages }).problems).toEqual([]);
  });

  it('names a size that the region does not offer', () => {
    const wanted = [{ user: 'big', vmSize: 'Standard_ND96', count: 1 }];
    expect(compareQuota({ wanted, present: [], sizes, usages: [] }).notOffered).toEqual([
      { user: 'big', vmSize: 'Standard_ND96' },
    ]);
  });
});
