/** Rounds of probes, one series for each resource of a type, on the cloud's clock, until the resource is gone. */

import type { Cloud, Stored } from '../contract/index.ts';

export class ProbeRounds {
  private readonly cloud: Cloud;
  private readonly type: string;
  /** Sends one round; answers in how many seconds the next is due. */
  private readonly probe: (stored: Stored) => number;
  private readonly running = new Set<string>();
  private closed = false;

  constructor(cloud: Cloud, type: string, probe: (stored: Stored) => number) {
    this.cloud = cloud;
    this.type = type;
    this.probe = probe;
  }

  /** Starts with every resource there is, and with those made later. Asked again, it starts only what does not run. */
  watch(): void {
    for (const { resource } of this.cloud.store.ofType(this.type)) {
      const key = resource.id.toLowerCase();
      if (this.running.has(key)) continue;
      this.running.add(key);
      this.round(key);
    }
  }

  close(): void {
    this.closed = true;
  }

  private round(key: string): void {
    const stored = this.cloud.store.get(key);
    if (!stored || this.closed) {
      this.running.delete(key);
      return;
    }
    this.cloud.clock.after(this.probe(stored) * 1000, () => this.round(key));
  }
}
