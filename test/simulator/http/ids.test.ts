import { describe, expect, it } from 'vitest';
import { containerKey, parseResourceId, parseTarget } from '../../../simulator/resource/ids.ts';

const group = '/subscriptions/s/resourceGroups/g';

describe('ids', () => {
  it('are parsed with their place, type, names and parent', () => {
    expect(parseResourceId(`${group}/providers/Microsoft.ML/workspaces/w/models/m/versions/1`)).toMatchObject({
      subscriptionId: 's',
      resourceGroup: 'g',
      provider: 'Microsoft.ML',
      type: 'Microsoft.ML/workspaces/models/versions',
      names: ['w', 'm', '1'],
      name: '1',
      parent: `${group}/providers/Microsoft.ML/workspaces/w/models/m`,
      scope: group,
    });
    expect(parseResourceId(group)).toMatchObject({
      type: 'Microsoft.Resources/resourceGroups',
      name: 'g',
      scope: '/subscriptions/s',
    });
    expect(
      parseResourceId(
        `${group}/providers/Microsoft.ML/workspaces/w/providers/Microsoft.Authorization/roleAssignments/r`,
      ),
    ).toMatchObject({
      type: 'Microsoft.Authorization/roleAssignments',
      scope: `${group}/providers/Microsoft.ML/workspaces/w`,
    });
    expect(parseResourceId('/nonsense')).toBeUndefined();
    expect(parseResourceId(`${group}/providers/Microsoft.ML/workspaces`)).toBeUndefined();
  });

  it('tell lists from resources and from what is neither', () => {
    expect(parseTarget('/subscriptions')).toMatchObject({
      kind: 'collection',
      type: 'Microsoft.Resources/subscriptions',
    });
    expect(parseTarget('/subscriptions/s/resourcegroups')).toMatchObject({
      kind: 'collection',
      scope: '/subscriptions/s',
    });
    expect(parseTarget('/subscriptions/s/providers/Microsoft.ML/workspaces')).toMatchObject({
      kind: 'collection',
      type: 'Microsoft.ML/workspaces',
      scope: '/subscriptions/s',
    });
    expect(parseTarget(`${group}/providers/Microsoft.ML/workspaces/w/jobs`)).toMatchObject({
      kind: 'collection',
      parent: `${group}/providers/Microsoft.ML/workspaces/w`,
    });
    expect(parseTarget('/subscriptions/s/providers/Microsoft.ML')).toMatchObject({
      kind: 'other',
      provider: 'Microsoft.ML',
    });
    expect(parseTarget('/subscriptions/s/locations')).toMatchObject({ kind: 'other' });
  });

  it('decode names, and take a stray percent for part of one', () => {
    expect(parseResourceId(`${group}/providers/Microsoft.ML/workspaces/a%20b`)?.name).toBe('a b');
    expect(parseResourceId(`${group}/providers/Microsoft.ML/workspaces/100%`)?.name).toBe('100%');
  });

  it('know what contains them', () => {
    expect(containerKey(`${group}/providers/microsoft.ml/workspaces/w/models/m`)).toBe(
      `${group}/providers/microsoft.ml/workspaces/w`,
    );
    expect(containerKey(`${group}/providers/microsoft.ml/workspaces/w`)).toBe(group);
    expect(containerKey(group)).toBe('/subscriptions/s');
  });
});
