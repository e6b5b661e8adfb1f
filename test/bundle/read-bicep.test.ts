/** What is known of Bicep without its compiler: never more than is certain. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readBicep } from '../../src/bundle/read-bicep.ts';

describe('Bicep', () => {
  it.each([
    ['a string that does not end', "param a string = 'x\nparam b string", '1:18: the string does not end on its line'],
    ['a bracket that is not closed', 'resource a {\n  b: [\n    1\n', '2:6: expected "]" for it, got the end'],
    ['a bracket that closes nothing', 'var a = 1\n}\n', '2:1: "}" closes nothing'],
    ['brackets that cross', 'var a = [{]}', '1:11: "]" closes nothing'],
    ['a comment that does not end', 'var a = 1\n/* b', '2:1: the comment does not end'],
    ['a long string that does not end', "var a = '''b", '1:9: the string does not end'],
    ['an expression in a string that does not end', "var a = 'x${b", '1:11: expected "}" for it, got the end'],
  ])('with %s is broken, and where is said', (_what, text, broken) => {
    expect(readBicep(text)).toEqual({ broken });
  });

  it('declares its parameters and outputs at its top, and not in strings and comments', () => {
    const text = [
      "@description('It\\'s } the sku, of // all')",
      'param sku string',
      'param location string = resourceGroup().location // param no string',
      '/* param neither string */',
      "var words = '${toLower('${sku}{')} param nor string'",
      "var more = '''\nparam here string\n{''''",
      'output id string = sku',
    ].join('\n');
    expect(readBicep(text)).toEqual({ parameters: ['sku', 'location'], outputs: ['id'] });
  });

  it.each(['workspace', 'control-store', 'front-door'])('of our own %s declares what its JSON has', (name) => {
    const folder = join(import.meta.dirname, '../../templates');
    const json = JSON.parse(readFileSync(join(folder, `${name}.json`), 'utf8')) as Record<string, object>;
    expect(readBicep(readFileSync(join(folder, `${name}.bicep`), 'utf8'))).toEqual({
      parameters: Object.keys(json.parameters ?? {}),
      outputs: Object.keys(json.outputs ?? {}),
    });
  });
});
