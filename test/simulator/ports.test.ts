import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { TokenService } from '../../simulator/entra/tokens.ts';
import { loadPorts, regionsOfPorts, savePorts } from '../../simulator/state/ports.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'local-azure-ports-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

it('keeps ports, and with them the regions that there were', () => {
  expect(loadPorts(folder)).toEqual({});
  const ports = { admin: 1, arm: 2, front: 3, westeurope: 4, northeurope: 5, proxy: 6 };
  savePorts(folder, ports);
  expect(loadPorts(folder)).toEqual(ports);
  expect(regionsOfPorts(ports)).toEqual(['westeurope', 'northeurope']);
});

it.each(['', '{ "arm": 1', '[1]', 'null', '{ "arm": 0 }', '{ "arm": "x" }'])('names the file that holds %j', (text) => {
  writeFileSync(join(folder, 'ports.json'), text);
  expect(() => loadPorts(folder)).toThrow(/ports\.json: expected a JSON object of listener names and ports/);
});

it('names the key of tokens that is none', () => {
  const file = join(folder, 'token-key.pem');
  writeFileSync(file, 'x');
  expect(() => new TokenService(file, 'https://localhost', 300)).toThrow(
    /token-key\.pem: expected a private key in PEM/,
  );
});
