/** The ports of a state folder, kept so that a restart has the same addresses. */

import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** By listener: 'arm', 'admin', 'front', and each region. Throws an Error naming the file if it is not a JSON object of ports. */
export function loadPorts(folder: string): Record<string, number> {
  const file = join(folder, 'ports.json');
  if (!existsSync(file)) return {};
  const text = readFileSync(file, 'utf8');
  let ports: unknown;
  try {
    ports = JSON.parse(text);
  } catch (error) {
    throw new Error(`${file}: expected JSON, got "${text.slice(0, 60)}"`, { cause: error });
  }
  const isPort = (port: unknown): boolean =>
    Number.isInteger(port) && Number(port) > 0 && Number(port) < 65_536;
  if (typeof ports !== 'object' || ports === null || !Object.values(ports).every(isPort)) {
    throw new Error(
      `${file}: expected an object of listener names and ports from 1 to 65535, got ${text.slice(0, 60)}`,
    );
  }
  return ports as Record<string, number>;
}

export function savePorts(folder: string, ports: Record<string, number>): void {
  writeFileSync(join(folder, 'ports.json'), `${JSON.stringify(ports, null, 2)}\n`);
}
