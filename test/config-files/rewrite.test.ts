import { describe, expect, it } from 'vitest';
import { rewriteConfig } from '../../src/config-files/rewrite.ts';
import { armId, longUri, mapping } from './mapping.ts';
import { errorOf, rewrite } from './rewriting.ts';

describe('any file', () => {
  it('refuses what is not UTF-8, and a name that says no format', () => {
    expect(errorOf(() => rewrite('c.json', Buffer.from([0xff, 0xfe, 0x7b, 0]))).reason).toContain('UTF-16');
    expect(errorOf(() => rewrite('c.json', Buffer.from([0x7b, 0xe9, 0x7d]))).reason).toContain('UTF-8');
    expect(errorOf(() => rewrite('settings.ini', 'x')).reason).toContain('.json');
    expect(rewriteConfig({ file: 'settings', format: 'env', content: 'A=1', mapping }).content).toBe('A=1');
  });

  it('refuses a mapping that would change its own result', () => {
    const compute = { a: 'b', b: 'c' };
    expect(errorOf(() => rewrite('a.yml', 'compute: a', { ...mapping, compute })).reason).toContain('mapping');
  });

  it('masks secrets in changes, and says what a person must do about them', () => {
    const { content, changes, warnings } = rewrite(
      '.env',
      'DATA=https://stfraudeast.blob.core.windows.net/c?sv=1&sig=canary1\nTOKEN_URL=https://u:canary2@localhost:8443/east\nCS=AccountName=stfraudeast;AccountKey=canary3==',
    );
    expect(content).toContain('https://stfraudwest.blob.core.windows.net/c?sv=1&sig=canary1');
    expect(changes).toHaveLength(2);
    expect(JSON.stringify([changes, warnings])).not.toContain('canary');
    expect(warnings.map(({ line }) => line)).toEqual([1, 3]);
  });

  it('changes only what was planned, over many made-up files', () => {
    // A small generator with a fixed seed: the same files each time.
    let seed = 7;
    const random = (below: number): number => {
      seed = (seed * 1103515245 + 12345) % 2147483648;
      return Math.floor((seed / 2147483648) * below);
    };
    const pick = <Item>(items: readonly Item[]): Item => items[random(items.length)] as Item;
    const values = [
      'gpu-east',
      'azureml:gpu-east',
      'ml-east',
      'fraud-east',
      armId('east'),
      `see ${armId('east')}`,
      longUri('east'),
      'ünï "x"',
      'https://localhost:8443/eastern',
    ];
    const moves: Record<string, string> = {
      [armId('east')]: armId('west'),
      [longUri('east')]: longUri('west'),
    };
    for (let round = 0; round < 200; round += 1) {
      const entries = Array.from({ length: 8 }, (_, n): [string, string] => [
        pick(['compute', 'name', 'x', 'tags']) + (n % 2 ? '' : n),
        pick(values),
      ]);
      const unique = [...new Map(entries)];
      const expected = unique.map(([key, value]): [string, string] => [
        key,
        moves[value] ?? (key === 'compute' ? value.replace(/^(azureml:)?gpu-east$/, '$1gpu-west') : value),
      ]);
      const space = pick(['  ', '\t', '']);
      const json = (of: [string, string][]): string => JSON.stringify(Object.fromEntries(of), null, space);
      const yaml = (of: [string, string][]): string =>
        of.map(([key, value]) => `${key}:   ${JSON.stringify(value)} # gpu-east ${key}`).join('\r\n');
      expect(rewrite('c.json', json(unique)).content).toBe(json(expected));
      expect(rewrite('c.yml', yaml(unique)).content).toBe(yaml(expected));
    }
  });
});
