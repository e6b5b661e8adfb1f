import { describe, expect, it } from 'vitest';
import { armId, eastSubscription, longUri, mapping, westSubscription } from './mapping.ts';
import { changes, errorOf, rewrite } from './rewriting.ts';

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
      [`identity: ${armId('east', '/computes/gpu-east')}`, `identity: ${armId('west', '/computes/gpu-west')}`],
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
    expect(result.content).toBe(`{subscription_id: ${westSubscription}, resource_group: "1e3", workspace_name: "no"}`);
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
