/** The ports of a state folder, kept so that a restart has the same addresses. */

import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** What listens beside the regions. */
const OWN = ['admin', 'arm', 'front', 'proxy'];

/**
 * By listener: 'arm', 'admin', 'front', 'proxy', and each region. Throws an Error naming the file if it is not a JSON
 * object of ports.
 */
export function loadPorts(folder: string): Record<string, number> {
  const file = portsFile(folder);
  if (!existsSync(file)) return {};
  const text = readFileSync(file, 'utf8');
  const isPort = (port: unknown): boolean => Number.isInteger(port) && Number(port) > 0 && Number(port) < 65_536;
  let ports: unknown;
  try {
    ports = JSON.parse(text);
  } catch {
    ports = undefined;
  }
  if (typeof ports !== 'object' || ports === null || Array.isArray(ports) || !Object.values(ports).every(isPort))
    throw new Error(
      `${file}: expected a JSON object of listener names and ports from 1 to 65535, got "${text.slice(0, 60)}". Without the file, other ports are chosen.`,
    );
  return ports as Record<string, number>;
}

/** The regions that listened there before, in their order; none in a new folder. */
export function regionsOfPorts(ports: Record<string, number>): string[] {
  return Object.keys(ports).filter((name) => !OWN.includes(name));
}

export function savePorts(folder: string, ports: Record<string, number>): void {
  writeFileSync(portsFile(folder), `${JSON.stringify(ports, null, 2)}\n`);
}

/** What to do about a port of the file that is taken, as the end of a message. */
export function whyKept(folder: string): string {
  return `. It was chosen before, and kept in ${portsFile(folder)}: end that process (it may be a local Azure on this folder), or remove the file to have other ports chosen`;
}

function portsFile(folder: string): string {
  return join(folder, 'ports.json');
}
