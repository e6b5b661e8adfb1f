/** The compose file and the parameter files hold together with what they are for. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { describe, expect, it } from 'vitest';

const ROOT = join(import.meta.dirname, '../..');

interface Service {
  image?: string;
  build?: string;
  healthcheck?: { test?: string[] };
  depends_on?: Record<string, { condition?: string }>;
}

interface Parameters {
  parameters: Record<string, { value: unknown }>;
}

function read(file: string): string {
  return readFileSync(join(ROOT, file), 'utf8');
}

function hasCompose(): boolean {
  try {
    execFileSync('docker', ['compose', 'version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

describe('docker-compose.yml', () => {
  const { services } = parse(read('docker-compose.yml')) as { services: Record<string, Service> };

  it('pins each image to a whole version', () => {
    const images = Object.values(services).map(({ image }) => image ?? '');
    expect(images).toHaveLength(4);
    for (const image of images) expect(image).toMatch(/^[a-z/-]+:\d+\.\d+(?:\.\d+)?(?:-\w+)?$/u);
  });

  it('starts nothing before what it needs is healthy', () => {
    for (const { depends_on: needs } of Object.values(services)) {
      for (const [name, { condition }] of Object.entries(needs ?? {})) {
        expect(condition).toBe('service_healthy');
        expect(services[name]?.healthcheck?.test).toBeDefined();
      }
    }
    expect(services.worker?.depends_on).toHaveProperty('temporal');
  });

  it.skipIf(!hasCompose())('is what docker compose takes', () => {
    const config = execFileSync('docker', ['compose', 'config', '--services'], {
      cwd: ROOT,
      encoding: 'utf8',
    });
    expect(config.trim().split('\n').sort()).toEqual(Object.keys(services).sort());
  });
});

describe('parameters', () => {
  const template = JSON.parse(read('templates/workspace.json')) as {
    parameters: Record<string, { defaultValue?: unknown }>;
  };
  const computes = ['cpu-cluster', 'gpu-cluster'].map((name) => {
    const file = parse(read(`examples/fraud-ml/computes/${name}.yml`)) as {
      size: string;
      max_instances: number;
    };
    return { name, vmSize: file.size, maxNodes: file.max_instances };
  });

  it.each(['eastus', 'westus3'])('of %s are those of the template, and its clusters those of the files', (region) => {
    const { parameters } = JSON.parse(read(`examples/fraud-ml/parameters/${region}.json`)) as Parameters;
    const required = Object.entries(template.parameters).filter(([, { defaultValue }]) => defaultValue === undefined);
    expect(Object.keys(template.parameters)).toEqual(expect.arrayContaining(Object.keys(parameters)));
    expect(Object.keys(parameters)).toEqual(expect.arrayContaining(required.map(([name]) => name)));
    expect(parameters.location?.value).toBe(region);
    expect(parameters.computes?.value).toMatchObject(computes);
    expect(parameters.storageAccountName?.value).toMatch(/^[a-z0-9]{3,24}$/u);
  });

  it('name nothing twice, where names are global', () => {
    const [east, west] = ['eastus', 'westus3'].map(
      (region) => JSON.parse(read(`examples/fraud-ml/parameters/${region}.json`)) as Parameters,
    );
    for (const name of ['storageAccountName', 'keyVaultName', 'containerRegistryName']) {
      expect(east?.parameters[name]?.value).not.toBe(west?.parameters[name]?.value);
    }
  });
});
