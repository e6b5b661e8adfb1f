import { describe, expect, it } from 'vitest';
import { ConfigError } from '../../src/config/error.ts';
import { rewriteConfig, type RewrittenConfig } from '../../src/config/rewrite.ts';
import { armId, eastSubscription, longUri, mapping, westSubscription } from './mapping.ts';

function rewrite(file: string, content: string | Uint8Array, over = mapping): RewrittenConfig {
  return rewriteConfig({ file, content, mapping: over });
}

/** Lines that differ, old and new, in order; the line breaks must be as many. */
function changedLines(before: string, after: string): [string, string][] {
  const old = before.split('\n');
  const next = after.split('\n');
  expect(next).toHaveLength(old.length);
  return old.flatMap((line, index): [string, string][] =>
    line === next[index] ? [] : [[line, next[index] ?? '']],
  );
}

/** Rewrites, checks that a second run changes nothing, and answers the changed lines. */
function changes(file: string, content: string): [string, string][] {
  const result = rewrite(file, content);
  const again = rewrite(file, result.content);
  expect(again.content).toBe(result.content);
  expect(again.changes).toEqual([]);
  return changedLines(content, result.content);
}

function errorOf(action: () => unknown): ConfigError {
  try {
    action();
  } catch (error) {
    if (error instanceof ConfigError) return error;
    throw error;
  }
  throw new Error('expected a ConfigError');
}

const trio = (over: Partial<Record<'s' | 'g' | 'w', string>> = {}): string =>
  `{"subscription_id": "${over.s ?? eastSubscription}", "resource_group": "${over.g ?? 'ml-east'}", "workspace_name": "${over.w ?? 'fraud-east'}"}`;

describe('config.json', () => {
  const azureml = `{\n\t"subscription_id":"${eastSubscription}",\n\t"resource_group" : "ml-east", // ml-east\n\t"workspace_name": "fraud-east",\n\t"note": "ml-east", "region": "East US",\n\t"id": 12.50,\n}`;

  it('changes the trio and its region, and keeps every other byte', () => {
    const result = rewrite('config.json', azureml);
    const expected = azureml
      .replace(eastSubscription, westSubscription)
      .replace('"ml-east", //', '"ml-west", //')
      .replace('"fraud-east"', '"fraud-west"')
      .replace('East US', 'westus3');
    expect(result.content).toBe(expected);
    expect(result.changes).toEqual([
      { place: 'subscription_id', line: 2, from: eastSubscription, to: westSubscription },
      { place: 'resource_group', line: 3, from: 'ml-east', to: 'ml-west' },
      { place: 'workspace_name', line: 4, from: 'fraud-east', to: 'fraud-west' },
      { place: 'region', line: 5, from: 'East US', to: 'westus3' },
    ]);
  });

  it.each(['\r\n', '\n'])(
    'keeps a byte order mark, a last line break or none, and line breaks %j',
    (lineBreak) => {
      for (const end of ['', lineBreak]) {
        const content = `\uFEFF${azureml.replaceAll('\n', lineBreak)}${end}`;
        const result = rewrite('config.json', Buffer.from(content));
        expect(result.changes).toHaveLength(4);
        expect(result.content.startsWith('\uFEFF{')).toBe(true);
        expect(result.content.endsWith(`}${end}`)).toBe(true);
        expect(result.content.split(lineBreak)).toHaveLength(content.split(lineBreak).length);
      }
    },
  );

  it.each([
    ['another workspace', trio({ w: 'fraud-east-2' })],
    ['another resource group', trio({ g: 'ml-east-2' })],
    ['another subscription', trio({ s: westSubscription })],
    ['two of the three', '{"resource_group": "ml-east", "workspace_name": "fraud-east"}'],
    [
      'the three in different blocks',
      `{"subscription_id": "${eastSubscription}", "a": {"resource_group": "ml-east"}, "b": {"workspace_name": "fraud-east"}}`,
    ],
    ['other keys with the values', `{"x": "${eastSubscription}", "y": "ml-east", "z": "fraud-east"}`],
    [
      "a name that is no workspace's",
      `{"vault": {"subscriptionId": "${eastSubscription}", "resourceGroup": "ml-east", "name": "fraud-east"}}`,
    ],
  ])('leaves %s', (_name, content) => {
    expect(rewrite('c.json', content).content).toBe(content);
  });

  it.each([
    [
      'camel case',
      `{"subscriptionId": "${eastSubscription}", "resourceGroup": "ml-east", "workspaceName": "fraud-east"}`,
    ],
    [
      'a workspace block',
      `{"workspace": {"subscriptionId": "${eastSubscription}", "resourceGroup": "ml-east", "name": "fraud-east"}}`,
    ],
    ['another case', trio({ g: 'ML-East', w: 'Fraud-East' })],
    ['escapes', trio({ w: '\\u0066raud-east' })],
  ])('takes %s for the source workspace', (_name, content) => {
    expect(rewrite('c.json', content).changes.map(({ to }) => to)).toEqual([
      westSubscription,
      'ml-west',
      'fraud-west',
    ]);
  });

  it('changes only the block of the source among several', () => {
    const content = `{"a": ${trio()},\n"b": ${trio({ w: 'x' })},\n"c": [${trio({ g: 'y' })}]}`;
    const [line] = changes('c.json', content);
    expect(changes('c.json', content)).toHaveLength(1);
    expect(line?.[1]).toContain('fraud-west');
  });

  it("leaves a compute in another workspace's block, however deep, and changes it elsewhere", () => {
    const content = `{"compute": "gpu-east",\n"other": {"workspace_name": "x", "deep": {"compute":\n"gpu-east"}},\n"mine": ["azureml:GPU-east"], "default_compute": {"name":\n"cpu-east"}}`;
    expect(changes('c.json', content)).toEqual([
      ['{"compute": "gpu-east",', '{"compute": "gpu-west",'],
      ['"cpu-east"}}', '"cpu-west"}}'],
    ]);
  });

  it('warns of a value without its trio, and of a mention in a longer text', () => {
    const { warnings, changes } = rewrite(
      'c.json',
      `{"resource_group": "ml-east",\n"run": "train --to ${armId('east')}"}`,
    );
    expect(changes).toEqual([]);
    expect(warnings.map(({ place, line }) => [place, line])).toEqual([
      ['resource_group', 1],
      ['run', 2],
    ]);
  });

  it.each([
    ['{"a": }', 1, 7],
    ['{\n  "a": "b"\n  "c": 1}', 3, 3],
    ['', 1, 1],
    ['{"a": 1} x', 1, 10],
    [`{"a": ${trio()}`, 1, 7 + trio().length],
    ['{"a": "b\n"}', 1, 7],
  ])('says where %j is malformed', (content, line, column) => {
    const error = errorOf(() => rewrite('conf/config.json', content));
    expect(error).toMatchObject({ code: 'ConfigError', file: 'conf/config.json', line, column });
    expect(error.message).toContain('conf/config.json');
    expect(error.reason).toContain('malformed JSON');
  });
});

describe('YAML', () => {
  it('changes computes by their keys only', () => {
    const content = [
      '# compute: gpu-east',
      'name: gpu-east',
      'compute: azureml:gpu-east   # gpu-east',
      'settings: { default_compute: "gpu-east", other: gpu-east }',
      'jobs:',
      "  train: {compute: 'azureml:gpu-east', inputs: {compute: gpu-east}}",
      '  compute:',
      '    compute: gpu-east-2',
      'tags: {compute: gpu-east}',
      `identity: ${armId('east', '/computes/gpu-east')}`,
      'environment: azureml:gpu-east@latest',
      '',
    ].join('\n');
    expect(changes('job.yml', content)).toEqual([
      ['compute: azureml:gpu-east   # gpu-east', 'compute: azureml:gpu-west   # gpu-east'],
      [
        'settings: { default_compute: "gpu-east", other: gpu-east }',
        'settings: { default_compute: "gpu-west", other: gpu-east }',
      ],
      [
        "  train: {compute: 'azureml:gpu-east', inputs: {compute: gpu-east}}",
        "  train: {compute: 'azureml:gpu-west', inputs: {compute: gpu-east}}",
      ],
      [
        `identity: ${armId('east', '/computes/gpu-east')}`,
        `identity: ${armId('west', '/computes/gpu-west')}`,
      ],
    ]);
  });

  it.each(['\n', '\r\n'])(
    'changes block scalars, several documents, flow and quoted values, line breaks %j',
    (lineBreak) => {
      const of = (side: 'east' | 'west'): string =>
        [
          '%YAML 1.2',
          '---',
          'a: >-  # folded',
          `  ${longUri(side)}`,
          'b: |2+',
          `  ${armId(side)}`,
          '',
          `c: ["${longUri(side, '/datastores/d')}", '${longUri(side)}', ${armId(side)}]`,
          'text: |',
          '  gpu-east ml-east',
          '  gpu-east',
          '...',
          '---',
          `? ${armId(side, '/x')}`,
          ': *none'.replace('*none', '{}'),
          '',
        ].join(lineBreak);
      const result = rewrite('a.yaml', of('east'));
      expect(result.content).toBe(of('west'));
      expect(result.changes.map(({ line }) => line)).toEqual([4, 6, 8, 8, 8, 14]);
      expect(rewrite('a.yaml', result.content).changes).toEqual([]);
    },
  );

  it('edits an anchored value at its anchor, and what a merge brings in', () => {
    const content = [
      'x: &c gpu-east',
      `base: &base {subscription_id: ${eastSubscription}, resource_group: ml-east}`,
      'ws: {<<: *base, workspace_name: fraud-east}',
      'job: {compute: *c}',
      '',
    ].join('\n');
    expect(changes('a.yml', content)).toEqual([
      ['x: &c gpu-east', 'x: &c gpu-west'],
      [
        `base: &base {subscription_id: ${eastSubscription}, resource_group: ml-east}`,
        `base: &base {subscription_id: ${westSubscription}, resource_group: ml-west}`,
      ],
      ['ws: {<<: *base, workspace_name: fraud-east}', 'ws: {<<: *base, workspace_name: fraud-west}'],
    ]);
  });

  it('writes a value out where an anchor is shared with another workspace', () => {
    const content = `g: &g ml-east\nmine: {subscription_id: ${eastSubscription}, resource_group: *g, workspace_name: fraud-east}\nother: {subscription_id: ${eastSubscription}, resource_group: *g, workspace_name: x}\n`;
    const [[, line] = []] = changes('a.yml', content);
    expect(line).toBe(
      `mine: {subscription_id: ${westSubscription}, resource_group: ml-west, workspace_name: fraud-west}`,
    );
  });

  it('refuses what a merge shares with another workspace', () => {
    const content = `b: &b {subscription_id: ${eastSubscription}, resource_group: ml-east}\nmine: {<<: *b, workspace_name: fraud-east}\nother: {<<: *b, workspace_name: x}\n`;
    expect(errorOf(() => rewrite('a.yml', content))).toMatchObject({ line: 1, column: 25 });
  });

  it('ends on aliases that go round in a circle, or multiply', () => {
    expect(rewrite('a.yml', 'a: &a\n  compute: gpu-east\n  self: *a\n').changes).toHaveLength(1);
    const bomb = [
      'a0: &a0 [compute]',
      ...Array.from(
        { length: 30 },
        (_, n) => `a${n + 1}: &a${n + 1} [${Array.from({ length: 9 }, () => `*a${n}`).join(', ')}]`,
      ),
    ];
    expect(rewrite('a.yml', bomb.join('\n')).changes).toEqual([]);
  });

  it('quotes a new value that would not be a string in plain style', () => {
    const to = { ...mapping.to, resourceGroup: '1e3', name: 'no' };
    const content = `{subscription_id: ${eastSubscription}, resource_group: ml-east, workspace_name: fraud-east}`;
    const result = rewrite('a.yml', content, { ...mapping, to });
    expect(result.content).toBe(
      `{subscription_id: ${westSubscription}, resource_group: "1e3", workspace_name: "no"}`,
    );
  });

  it('leaves tags it does not know', () => {
    const content = `compute: !Ref gpu-east\nother: !secret ${armId('east')}\n`;
    expect(rewrite('a.yml', content).content).toBe(content);
    expect(rewrite('a.yml', 'compute: !!str gpu-east').content).toBe('compute: !!str gpu-west');
  });

  it.each([
    ['a: [1, 2\nb: c', 2, 1],
    ['a: b: c', 1, 4],
    ['a: 1\na: 2', 2, 1],
    ['ok: 1\n---\na: "x', 3, 6],
    ['a: *nowhere', 1, 4],
    ['a:\n\tb: c', 2, 1],
  ])('says where %j is malformed', (content, line, column) => {
    expect(errorOf(() => rewrite('a.yml', content))).toMatchObject({ file: 'a.yml', line, column });
  });

  it('does not quote the file in an error', () => {
    const error = errorOf(() => rewrite('a.yml', 'password: canary-7\n canary-8: "x" canary-9'));
    expect(error.message).not.toContain('canary');
  });
});

describe('.env', () => {
  it('changes the trio by its keys, and keeps quotes, export, comments and spaces', () => {
    const content = [
      '# RESOURCE_GROUP=ml-east',
      `export AZURE_SUBSCRIPTION_ID='${eastSubscription}'`,
      'RESOURCE_GROUP = "ml-east" # ml-east',
      '  AZUREML_WORKSPACE_NAME=fraud-east   # fraud-east',
      'AZUREML_COMPUTE=`gpu-east`',
      'APP_RESOURCE_GROUP=ml-east',
      'NAME=fraud-east',
      'AZURE_LOCATION=eastus',
      `ANY_NAME=${longUri('east', '/datastores/d')}`,
      'URL=https://stfraudeast.blob.core.windows.net/c#x',
      'AZURE_STORAGE_ACCOUNT=stfraudeast',
      'MULTI="line gpu-east',
      'AZUREML_COMPUTE=gpu-east"',
      'EMPTY=',
      'export DECLARED',
    ].join('\r\n');
    expect(changes('.env', content).map(([, line]) => line.trimEnd())).toEqual([
      `export AZURE_SUBSCRIPTION_ID='${westSubscription}'`,
      'RESOURCE_GROUP = "ml-west" # ml-east',
      '  AZUREML_WORKSPACE_NAME=fraud-west   # fraud-east',
      'AZUREML_COMPUTE=`gpu-west`',
      'AZURE_LOCATION=westus3',
      `ANY_NAME=${longUri('west', '/datastores/d')}`,
      'URL=https://stfraudwest.blob.core.windows.net/c#x',
      'AZURE_STORAGE_ACCOUNT=stfraudwest',
    ]);
  });

  it.each([
    ['no trio', 'RESOURCE_GROUP=ml-east\nAZUREML_WORKSPACE_NAME=fraud-east'],
    [
      'another workspace',
      `AZURE_SUBSCRIPTION_ID=${eastSubscription}\nRESOURCE_GROUP=ml-east\nAZUREML_WORKSPACE_NAME=fraud-dev\nAZUREML_COMPUTE=gpu-east`,
    ],
    [
      'one variable with two values',
      `SUBSCRIPTION_ID=${eastSubscription}\nRESOURCE_GROUP=ml-east\nWORKSPACE_NAME=fraud-east\nWORKSPACE_NAME=x`,
    ],
    [
      'a variable inside',
      'AZUREML_URI=azureml://subscriptions/${SUB}/resourcegroups/ml-east/workspaces/fraud-east',
    ],
  ])('leaves %s', (_name, content) => {
    expect(rewrite('.env', content).content).toBe(content);
  });

  it("reads variables of one prefix together, beside another workspace's", () => {
    const family = (prefix: string, name: string): string =>
      `${prefix}SUBSCRIPTION_ID=${eastSubscription}\n${prefix}RESOURCE_GROUP=ml-east\n${prefix}WORKSPACE_NAME=${name}\n${prefix}COMPUTE=gpu-east\n`;
    const lines = changes(
      '.env',
      family('AZUREML_', 'fraud-east') + family('AML_', 'other') + 'RESOURCE_GROUP=ml-east\n',
    );
    expect(lines.map(([line]) => line.split('_')[0])).toEqual(['AZUREML', 'AZUREML', 'AZUREML', 'AZUREML']);
  });

  it.each([
    ['A=1\nnot a line\n', 2, 1],
    ['A="open\nB=2', 1, 3],
    ["A='x' y", 1, 6],
    ['=x', 1, 1],
  ])('says where %j is malformed', (content, line, column) => {
    expect(errorOf(() => rewrite('.env', content))).toMatchObject({ file: '.env', line, column });
  });
});

describe('any file', () => {
  it('refuses what is not UTF-8, and a name that says no format', () => {
    expect(errorOf(() => rewrite('c.json', Buffer.from([0xff, 0xfe, 0x7b, 0]))).reason).toContain('UTF-16');
    expect(errorOf(() => rewrite('c.json', Buffer.from([0x7b, 0xe9, 0x7d]))).reason).toContain('UTF-8');
    expect(errorOf(() => rewrite('settings.ini', 'x')).reason).toContain('.json');
    expect(rewriteConfig({ file: 'settings', format: 'env', content: 'A=1', mapping }).content).toBe('A=1');
  });

  it('refuses a mapping that would change its own result', () => {
    const compute = { a: 'b', b: 'c' };
    expect(errorOf(() => rewrite('a.yml', 'compute: a', { ...mapping, compute })).reason).toContain(
      'mapping',
    );
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
