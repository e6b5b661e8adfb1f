import { describe, expect, it } from 'vitest';
import { armId, eastSubscription, mapping, westSubscription } from './mapping.ts';
import { changes, errorOf, rewrite } from './rewriting.ts';

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

  it.each(['\r\n', '\n'])('keeps a byte order mark, a last line break or none, and line breaks %j', (lineBreak) => {
    for (const end of ['', lineBreak]) {
      const content = `\uFEFF${azureml.replaceAll('\n', lineBreak)}${end}`;
      const result = rewrite('config.json', Buffer.from(content));
      expect(result.changes).toHaveLength(4);
      expect(result.content.startsWith('\uFEFF{')).toBe(true);
      expect(result.content.endsWith(`}${end}`)).toBe(true);
      expect(result.content.split(lineBreak)).toHaveLength(content.split(lineBreak).length);
    }
  });

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
    expect(rewrite('c.json', content).changes.map(({ to }) => to)).toEqual([westSubscription, 'ml-west', 'fraud-west']);
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

  it('leaves the spelling of what is the same on both sides', () => {
    const to = { ...mapping.to, resourceGroup: 'ml-east', location: 'eastus' };
    const content = `{"location": "East US", ${trio({ g: 'ML-EAST' }).slice(1)}`;
    const result = rewrite('c.json', content, { ...mapping, to });
    expect(result.changes.map(({ place }) => place)).toEqual(['subscription_id', 'workspace_name']);
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
