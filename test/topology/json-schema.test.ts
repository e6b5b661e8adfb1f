/** The JSON Schema that editors use takes and refuses what the loader does, as far as one field can tell. */
import { Ajv } from 'ajv';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { starterTopology } from '../../src/cli/starter-topology.ts';
import { placeholderSubscription } from '../../src/topology/check-names.ts';
import { topologyJsonSchema } from '../../src/topology/json-schema.ts';
import { parseTopology } from '../../src/topology/load.ts';
import { Topology } from '../../src/topology/topology.ts';
import { minimal, subscription } from './minimal.ts';

const validate = new Ajv({ strict: false, validateFormats: false }).compile(topologyJsonSchema());

function loads(text: string): boolean {
  try {
    parseTopology(text, 'understudy.yaml');
    return true;
  } catch {
    return false;
  }
}

describe('the JSON Schema', () => {
  it.each([
    ['the smallest topology', minimal],
    ['the starter', starterTopology.replaceAll(placeholderSubscription, subscription)],
    ['a config file', minimal.replace('configs: []', 'configs: [{ host: a, file: /b }]')],
    ['a working copy', minimal.replace('configs: []', 'configs: [{ host: a, git: /b, files: ["*.yml"] }]')],
  ])('takes %s', (_what, text) => {
    expect(loads(text)).toBe(true);
    expect(validate(parse(text)), JSON.stringify(validate.errors)).toBe(true);
  });

  it.each([
    ['an unknown key', `${minimal}retries: 3\n`],
    ['an unknown key below', `${minimal}policies: { leaseTTL: 30s }\n`],
    ['no control store', minimal.replace(/controlStore:.*\n/, '')],
    ['a long name', minimal.replace('name: fraud-west', `name: ${'w'.repeat(41)}`)],
    ["a region's display name", minimal.replace('westus3:', 'West US 3:')],
    ['a strategy that is none', minimal.replace('inference: hot-warm', 'inference: warm')],
    ['a duration in words', minimal.replace('rto: 15m', 'rto: 15 minutes')],
    ['a config file without a host', minimal.replace('configs: []', 'configs: [{ file: /b }]')],
    ['an impossible storage account', minimal.replace('fraudcontrol', 'Fraud-Control')],
    ['too much at once', `${minimal}artifacts: { concurrency: 1000 }\n`],
  ])('refuses %s, as the loader does', (_what, text) => {
    expect(loads(text)).toBe(false);
    expect(validate(parse(text))).toBe(false);
  });

  it('knows every key, and says what the less obvious ones mean', () => {
    const schema = topologyJsonSchema() as {
      title: string;
      properties: Record<string, { description?: string }>;
    };
    expect(schema.title).toBe('Understudy topology');
    expect(Object.keys(schema.properties)).toEqual(Object.keys(Topology.shape));
    expect(schema.properties.controlStore?.description).toContain('outside both regions');
  });
});
