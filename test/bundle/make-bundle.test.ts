/** What a run takes of the user's disk: the topology and the templates, with every way they can be missing. */
import { mkdir, mkdtemp, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { loadTopology, makeBundle, makeCheckedBundle } from '../../src/bundle/make-bundle.ts';
import { minimal } from '../topology/minimal.ts';

let folder: string;
let file: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'understudy-bundle-'));
  file = join(folder, 'understudy.yaml');
  await mkdir(join(folder, 'templates'));
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await rm(folder, { recursive: true, force: true });
});

const withTemplate = (template: string) =>
  minimal.replace('name: fraud-west } }', `name: fraud-west }, template: ${template} }`);
const bundleOf = async (path: string) => makeBundle(await loadTopology(path));
const put = (name: string, text: string) => writeFile(join(folder, name), text);

describe('a bundle', () => {
  it('has the topology and, per region, the template and the parameters within their envelope', async () => {
    await put(
      'templates/standby.json',
      '// as Azure reads it\n{"parameters": {"location": {"type": "string"}}, "resources": [],}',
    );
    await put('west.json', '{"$schema": "x", "parameters": {"location": {"value": "westus3"}}}');
    await put('understudy.yaml', withTemplate('{ file: templates/standby.json, parameters: west.json }'));
    const bundle = await bundleOf(file);
    const { topology } = bundle;
    expect(topology.name).toBe('fraud-ml');
    expect(bundle).toEqual({
      topology,
      templates: {
        westus3: {
          source: 'templates/standby.json',
          template: { parameters: { location: { type: 'string' } }, resources: [] },
          parameters: { location: { value: 'westus3' } },
        },
      },
    });
  });

  it('takes the compiled template next to the Bicep where there is no Bicep CLI, and says what is not known', async () => {
    vi.stubEnv('PATH', folder);
    await put('templates/standby.bicep', "param location string = 'westus3'");
    await put(
      'templates/standby.json',
      '{"parameters": {"location": {"type": "string", "defaultValue": "westus3"}}, "resources": [1]}',
    );
    await put('understudy.yaml', withTemplate('{ file: templates/standby.bicep }'));
    const { bundle, warnings } = await makeCheckedBundle(await loadTopology(file));
    expect(bundle.templates.westus3).toMatchObject({ template: { resources: [1] }, parameters: {} });
    expect(warnings).toMatchObject([
      {
        path: 'regions.westus3.template.file',
        line: 4,
        message:
          'there is no Bicep CLI here: "standby.json" is taken as it is; whether "standby.bicep" compiles to it is not known',
      },
    ]);
  });

  it('says that the compiled template is older than the Bicep', async () => {
    vi.stubEnv('PATH', folder);
    await put('templates/standby.bicep', '');
    await put('templates/standby.json', '{"resources": []}');
    await utimes(join(folder, 'templates/standby.json'), new Date('2026-01-01'), new Date('2026-01-01'));
    await put('understudy.yaml', withTemplate('{ file: templates/standby.bicep }'));
    const { warnings } = await makeCheckedBundle(await loadTopology(file));
    expect(warnings[0]?.message).toContain(
      '"standby.json" is taken as it is, and is older than "standby.bicep" (2026-01-01T00:00:00.000Z, ',
    );
  });

  it.each([
    ['a parameter of the Bicep', 'param sku string', '{"resources": []}', 'the JSON has no parameter "sku"'],
    [
      'a parameter that the Bicep no longer has',
      "// param sku string\nvar text = '''\nparam sku string\n'''",
      '{"parameters": {"sku": {"type": "string"}}, "resources": []}',
      'the Bicep has no parameter "sku"',
    ],
    ['an output', "output id string = 'x'", '{"resources": []}', 'the JSON has no output "id"'],
  ])('refuses a compiled template that is not of this Bicep, by %s', async (_what, bicep, json, says) => {
    vi.stubEnv('PATH', folder);
    await put('templates/standby.bicep', bicep);
    await put('templates/standby.json', json);
    await put('understudy.yaml', withTemplate('{ file: templates/standby.bicep }'));
    await expect(bundleOf(file)).rejects.toMatchObject({
      code: 'TopologyError',
      message: expect.stringMatching(/standby\.json" is not what ".*standby\.bicep" compiles to: /),
      details: { next: expect.stringContaining('Bicep CLI') },
    });
    await expect(bundleOf(file)).rejects.toThrow(says);
  });

  it('refuses Bicep that is certainly broken, although there is a JSON next to it', async () => {
    vi.stubEnv('PATH', folder);
    await put('templates/standby.bicep', 'resource a {\n  name: [\n');
    await put('templates/standby.json', '{"resources": []}');
    await put('understudy.yaml', withTemplate('{ file: templates/standby.bicep }'));
    await expect(bundleOf(file)).rejects.toThrow(/standby\.bicep:2:9: expected "\]" for it, got the end$/);
  });

  it('takes what the Bicep CLI compiles where there is one, and its complaint where it cannot', async () => {
    vi.stubEnv('PATH', `${folder}:/usr/bin:/bin`);
    await put('templates/standby.bicep', 'param location string');
    await put('understudy.yaml', withTemplate('{ file: templates/standby.bicep }'));
    await writeFile(join(folder, 'bicep'), '#!/bin/sh\necho \'{"resources": ["compiled"]}\'\n', {
      mode: 0o755,
    });
    expect((await bundleOf(file)).templates.westus3?.template).toEqual({
      resources: ['compiled'],
    });
    await writeFile(join(folder, 'bicep'), '#!/bin/sh\necho "BCP018: expected =" >&2; exit 1\n', {
      mode: 0o755,
    });
    await expect(bundleOf(file)).rejects.toMatchObject({
      code: 'TopologyError',
      message: expect.stringMatching(/:4:\d+: regions\.westus3\.template\.file: .*standby\.bicep: [\s\S]*BCP018/),
    });
  });

  it('takes the complaint of "az bicep" about the file, and not the old JSON next to it', async () => {
    vi.stubEnv('PATH', `${folder}:/usr/bin:/bin`);
    await put('templates/standby.bicep', 'param location string');
    await put('templates/standby.json', '{"resources": []}');
    await put('understudy.yaml', withTemplate('{ file: templates/standby.bicep }'));
    const said = 'ERROR: /x/standby.bicep(3,7) : Error BCP018: Expected the "=" character at this location.';
    await writeFile(join(folder, 'az'), `#!/bin/sh\necho '${said}' >&2; exit 1\n`, { mode: 0o755 });
    await expect(bundleOf(file)).rejects.toThrow(/standby\.bicep: .*standby\.bicep:3:7: Error BCP018: Expected/);
  });

  it('says why "az bicep" could not compile, where that is not for the file', async () => {
    vi.stubEnv('PATH', `${folder}:/usr/bin:/bin`);
    await put('templates/standby.bicep', '');
    await put('templates/standby.json', '{"resources": []}');
    await put('understudy.yaml', withTemplate('{ file: templates/standby.bicep }'));
    const said = 'ERROR: Bicep CLI not found. Install it now by running "az bicep install".';
    await writeFile(join(folder, 'az'), `#!/bin/sh\necho '${said}' >&2; exit 1\n`, { mode: 0o755 });
    const { warnings } = await makeCheckedBundle(await loadTopology(file));
    expect(warnings[0]?.message).toMatch(/^"az bicep" cannot compile here \(ERROR: Bicep CLI not found/);
  });

  it('fills variables from the environment', async () => {
    vi.stubEnv('TOPOLOGY_NAME', 'from-env');
    await put('understudy.yaml', minimal.replace('name: fraud-ml', 'name: ${TOPOLOGY_NAME}'));
    expect((await loadTopology(file)).topology.name).toBe('from-env');
  });
});

describe('the topology alone', () => {
  it('is loaded whatever has become of its templates', async () => {
    await put('understudy.yaml', withTemplate('{ file: templates/none.bicep, parameters: none.json }'));
    const { topology } = await loadTopology(file);
    expect(topology.regions.westus3?.template?.file).toBe('templates/none.bicep');
  });
});

describe('it is refused', () => {
  it.each([
    ['without its topology', undefined, {}, /^cannot load topology ".*understudy\.yaml": it does not exist$/],
    [
      'without its template',
      '{ file: templates/none.json }',
      {},
      /:4:\d+: regions\.westus3\.template\.file: cannot read ".*none\.json": it does not exist$/,
    ],
    [
      'without its parameters',
      '{ file: templates/a.json, parameters: none.json }',
      { 'templates/a.json': '{}' },
      /:4:\d+: regions\.westus3\.template\.parameters: cannot read ".*none\.json": it does not exist$/,
    ],
    [
      'with a template that is no JSON',
      '{ file: templates/a.json }',
      { 'templates/a.json': '{"resources": [' },
      /:4:\d+: regions\.westus3\.template\.file: ".*a\.json" is not JSON: close bracket expected at 1:16$/,
    ],
    [
      'with parameters that are no JSON',
      '{ file: templates/a.json, parameters: p.json }',
      { 'templates/a.json': '{}', 'p.json': 'location: x' },
      /:4:\d+: regions\.westus3\.template\.parameters: ".*p\.json" is not JSON: invalid symbol at 1:1$/,
    ],
    [
      'with parameters in Bicep',
      '{ file: templates/a.json, parameters: p.bicepparam }',
      { 'templates/a.json': '{}', 'p.bicepparam': 'using none' },
      /:4:\d+: regions\.westus3\.template\.parameters: ".*p\.bicepparam" is Bicep: expected a parameters file in JSON/,
    ],
    [
      'with a folder for a template',
      '{ file: templates }',
      {},
      /:4:\d+: regions\.westus3\.template\.file: cannot read ".*templates": it is a folder$/,
    ],
    [
      'with a template that is none',
      '{ file: templates/a.json }',
      { 'templates/a.json': '{}' },
      /:4:\d+: regions\.westus3\.template\.file: "templates\/a\.json": expected an ARM template .* got an object with no keys$/,
    ],
    [
      'with a template whose parameters nobody gives',
      '{ file: templates/a.json }',
      { 'templates/a.json': '{"parameters": {"sku": {"type": "string"}}, "resources": []}' },
      /:4:\d+: regions\.westus3\.template\.file: "templates\/a\.json": sku: missing: .*$/,
    ],
    [
      'with the parameters of another template',
      '{ file: templates/a.json, parameters: p.json }',
      {
        'templates/a.json': '{"parameters": {"sku": {"type": "string", "defaultValue": ""}}, "resources": []}',
        'p.json': '{"parameters": {"profileName": {"value": "fraud"}}}',
      },
      /:4:\d+: regions\.westus3\.template\.parameters: "p\.json": profileName: the template has no such parameter; it has sku$/,
    ],
    [
      'with Bicep that nobody can compile',
      '{ file: templates/a.bicep }',
      { 'templates/a.bicep': '' },
      /:4:\d+: regions\.westus3\.template\.file: there is no Bicep CLI here to compile ".*a\.bicep", and no ".*a\.json" next to it$/,
    ],
  ] as const)('%s', async (_what, template, files, message) => {
    vi.stubEnv('PATH', folder);
    if (template !== undefined) await put('understudy.yaml', withTemplate(template));
    for (const [name, text] of Object.entries(files)) await put(name, text);
    await expect(bundleOf(file)).rejects.toMatchObject({
      code: 'TopologyError',
      exitCode: 2,
      message: expect.stringMatching(message),
    });
  });
});
