/** Chooses free ports once and records them, so that addresses stay the same after a restart. */
import { readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';

/** Returns the ports in `file`, whether they are free or not. Empty if there is no such file. */
export async function readPorts(file: string): Promise<number[]> {
  try {
    const ports: unknown = JSON.parse(await readFile(file, 'utf8'));
    return Array.isArray(ports) && ports.every((port) => Number.isInteger(port)) ? (ports as number[]) : [];
  } catch {
    return []; // none kept yet
  }
}

/** Returns the ports in `file` if all of them are free. Otherwise chooses others and records them there. */
export async function keptPorts(file: string, count: number): Promise<number[]> {
  const kept = await readPorts(file);
  if (kept.length === count && (await Promise.all(kept.map(isFree))).every(Boolean)) return kept;
  const ports: number[] = [];
  while (ports.length < count) {
    const port = await freePort();
    if (!ports.includes(port)) ports.push(port);
  }
  await writeFile(file, JSON.stringify(ports), { mode: 0o600 });
  return ports;
}

/** Returns a port that is free at this moment. */
export function freePort(): Promise<number> {
  return new Promise((resolvePort, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() =>
        address !== null && typeof address === 'object' ? resolvePort(address.port) : reject(new Error('no port')),
      );
    });
  });
}

function isFree(port: number): Promise<boolean> {
  return new Promise((answer) => {
    const server = createServer();
    server.once('error', () => answer(false));
    server.listen(port, '127.0.0.1', () => server.close(() => answer(true)));
  });
}
