/** Dates and IP ranges. Expected values are those of Azure's documentation. */

import { describe, expect, it } from 'vitest';
import type { Json } from '../../../simulator/contract/index.ts';
import { value } from './harness.ts';

type Case = [expression: string, expected: Json];
function evaluates(cases: Case[]): void {
  it.each(cases)('%s', async (expression, expected) => {
    expect(await value(expression)).toEqual(expected);
  });
}

describe('dates', () => {
  evaluates([
    ["[dateTimeAdd('2020-04-07 14:53:14Z', 'P3Y')]", '4/7/2023 2:53:14 PM'],
    ["[dateTimeAdd('2020-04-07 14:53:14Z', '-P9D')]", '3/29/2020 2:53:14 PM'],
    ["[dateTimeAdd('2020-04-07 14:53:14Z', 'PT1H')]", '4/7/2020 3:53:14 PM'],
    ["[dateTimeAdd('20200407T145314Z', 'PT90M', 'yyyy-MM-dd HH:mm')]", '2020-04-07 16:23'],
    ["[dateTimeAdd('20200407T145314Z', 'PT1S')]", '20200407T145315Z'],
    ["[dateTimeAdd('2021-01-01T00:00:00Z', 'P14M')]", '2022-03-02T00:00:00Z'],
    ['[dateTimeFromEpoch(1683040573)]', '2023-05-02T15:16:13Z'],
    ["[dateTimeToEpoch('2023-05-02T15:16:13Z')]", 1683040573],
  ]);

  it('formats the time of a parameter default as .NET does', async () => {
    const at = async (format: string): Promise<Json> =>
      value(
        "[parameters('now')]",
        { parameters: { now: { type: 'string', defaultValue: `[utcNow(${format})]` } } },
        { now: new Date('2019-03-05T17:53:18.045Z') },
      );
    expect(await at('')).toBe('20190305T175318Z');
    expect(await at("'d'")).toBe('03/05/2019');
    expect(await at("'M d'")).toBe('3 5');
    expect(await at("'u'")).toBe('2019-03-05 17:53:18Z');
    expect(await at("'dddd, d MMM yy h:mm tt, fff'")).toBe('Tuesday, 5 Mar 19 5:53 PM, 045');
    expect(await at("'o'")).toBe('2019-03-05T17:53:18.0450000Z');
  });
});

describe('IP ranges', () => {
  evaluates([
    [
      "[parseCidr('10.144.0.0/20')]",
      {
        network: '10.144.0.0',
        netmask: '255.255.240.0',
        broadcast: '10.144.15.255',
        firstUsable: '10.144.0.1',
        lastUsable: '10.144.15.254',
        cidr: 20,
      },
    ],
    [
      "[parseCidr('fdad:3236:5555::/48')]",
      {
        network: 'fdad:3236:5555::',
        netmask: 'ffff:ffff:ffff::',
        firstUsable: 'fdad:3236:5555::',
        lastUsable: 'fdad:3236:5555:ffff:ffff:ffff:ffff:ffff',
        cidr: 48,
      },
    ],
    [
      "[map(range(0, 2), lambda('i', cidrSubnet('10.144.0.0/20', 24, lambdaVariables('i'))))]",
      ['10.144.0.0/24', '10.144.1.0/24'],
    ],
    ["[cidrSubnet('fdad:3236:5555::/48', 52, 4)]", 'fdad:3236:5555:4000::/52'],
    ["[cidrHost('10.144.3.0/24', 0)]", '10.144.3.1'],
    ["[cidrHost('fdad:3236:5555:3000::/52', 4)]", 'fdad:3236:5555:3000::5'],
  ]);
});

describe('zones', () => {
  it('are mapped between their logical and physical names', async () => {
    const id = 'subscription().subscriptionId';
    expect(await value(`[toLogicalZone(${id}, 'East US', 'eastus-az2')]`)).toBe('2');
    expect(await value(`[toPhysicalZone(${id}, 'eastus', '3')]`)).toBe('eastus-az3');
    expect(await value(`[toLogicalZones(${id}, 'eastus', createArray('eastus-az1', 'eastus-az9'))]`)).toEqual([
      '1',
      '',
    ]);
    expect(await value(`[toPhysicalZones(${id}, 'northcentralus', createArray('1'))]`)).toEqual(['']);
  });
});
