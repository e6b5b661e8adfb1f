/** What a run takes of the user's disk: the topology and the templates, with every way they can be missing. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { loadTopology, makeBundle } from '../../src/bundle/make-bundle.ts';
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

  it('takes the compiled template beside the Bicep where there is no Bicep CLI', async () => {
    vi.stubEnv('PATH', folder);
    await put('templates/standby.bicep', 'param location string');
    await put('templates/standby.json', '{"resources": [1]}');
    await put('understudy.yaml', withTemplate('{ file: templates/standby.bicep }'));
    const bundle = await bundleOf(file);
    expect(bundle.templates.westus3).toMatchObject({ template: { resources: [1] }, parameters: {} });
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
      message: expect.stringMatching(/regions\.westus3\.template\.file: .*standby\.bicep: [\s\S]*BCP018/),
    });
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
      /regions\.westus3\.template\.file: cannot read ".*none\.json": it does not exist \(line 4\)$/,
    ],
    [
      'without its parameters',
      '{ file: templates/a.json, parameters: none.json }',
      { 'templates/a.json': '{}' },
      /regions\.westus3\.template\.parameters: cannot read ".*none\.json": it does not exist \(line 4\)$/,
    ],
    [
      'with a template that is no JSON',
      '{ file: templates/a.json }',
      { 'templates/a.json': '{"resources": [' },
      /regions\.westus3\.template\.file: ".*a\.json" is not JSON: close bracket expected at 1:16 \(line 4\)$/,
    ],
    [
      'with parameters that are no JSON',
      '{ file: templates/a.json, parameters: p.json }',
      { 'templates/a.json': '{}', 'p.json': 'location: x' },
      /regions\.westus3\.template\.parameters: ".*p\.json" is not JSON: invalid symbol at 1:1 \(line 4\)$/,
    ],
    [
      'with parameters in Bicep',
      '{ file: templates/a.json, parameters: p.bicepparam }',
      { 'templates/a.json': '{}', 'p.bicepparam': 'using none' },
      /regions\.westus3\.template\.parameters: ".*p\.bicepparam" is Bicep: expected a parameters file in JSON/,
    ],
    [
      'with a folder for a template',
      '{ file: templates }',
      {},
      /regions\.westus3\.template\.file: cannot read ".*templates": it is a folder \(line 4\)$/,
    ],
    [
      'with a template that is none',
      '{ file: templates/a.json }',
      { 'templates/a.json': '{}' },
      /regions\.westus3\.template\.file: "templates\/a\.json": expected an ARM template .* got an object with no keys \(line 4\)$/,
    ],
    [
      'with a template whose parameters nobody gives',
      '{ file: templates/a.json }',
      { 'templates/a.json': '{"parameters": {"sku": {"type": "string"}}, "resources": []}' },
      /regions\.westus3\.template\.file: "templates\/a\.json": sku: missing: .* \(line 4\)$/,
    ],
    [
      'with the parameters of another template',
      '{ file: templates/a.json, parameters: p.json }',
      {
        'templates/a.json':
          '{"parameters": {"sku": {"type": "string", "defaultValue": ""}}, "resources": []}',
        'p.json': '{"parameters": {"profileName": {"value": "fraud"}}}',
      },
      /regions\.westus3\.template\.parameters: "p\.json": profileName: the template has no such parameter; it has sku \(line 4\)$/,
    ],
    [
      'with Bicep that nobody can compile',
      '{ file: templates/a.bicep }',
      { 'templates/a.bicep': '' },
      /there is no Bicep CLI to compile ".*a\.bicep", and no ".*a\.json" beside it \(line 4\)$/,
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
