/**
 * Connections that a hanging region leaves open and silent. They are cut when its outage changes, as they would be by
 * whatever stands between: a client without a time-out would wait for ever for a request that nobody remembers.
 */

import type { Socket } from 'node:net';

export class Hanging {
  private readonly sockets = new Map<string, Set<Socket>>();

  keep(region: string, socket: Socket): void {
    const held = this.sockets.get(region) ?? new Set();
    this.sockets.set(region, held.add(socket));
    socket.once('close', () => held.delete(socket));
  }

  release(region: string): void {
    for (const socket of this.sockets.get(region) ?? []) socket.destroy();
    this.sockets.delete(region);
  }
}
