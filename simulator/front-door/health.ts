/** Health of origins: probes at their group's interval, on the cloud's clock, judged by the last samples. */

import { request as httpRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import type { Cloud } from '../provider.ts';
import {
  ORIGIN_GROUP,
  readGroup,
  type Origin,
  type OriginGroup,
  type ProbeSettings,
} from './configuration.ts';

const PROBE_DEADLINE_MS = 5000;

export class OriginHealth {
  private readonly cloud: Cloud;
  private readonly ca: string;
  private readonly samples = new Map<string, boolean[]>();
  private readonly running = new Set<string>();
  private closed = false;

  constructor(cloud: Cloud, ca: string) {
    this.cloud = cloud;
    this.ca = ca;
  }

  /** Starts the probes of every group there is, and of those made later. Asked again, it starts only what does not run. */
  watch(): void {
    for (const { resource } of this.cloud.store.ofType(ORIGIN_GROUP)) {
      const key = resource.id.toLowerCase();
      if (this.running.has(key)) continue;
      this.running.add(key);
      this.round(key);
    }
  }

  close(): void {
    this.closed = true;
  }

  /** A sample that was not taken yet counts as a success: origins start healthy. */
  isHealthy(group: OriginGroup, origin: Origin): boolean {
    if (!group.probe) return true;
    const samples = (this.samples.get(origin.id) ?? []).slice(-group.sampleSize);
    const failures = samples.filter((good) => !good).length;
    return group.sampleSize - failures >= group.successesRequired;
  }

  private round(key: string): void {
    const stored = this.cloud.store.get(key);
    if (!stored || this.closed) {
      this.running.delete(key);
      return;
    }
    const group = readGroup(this.cloud.store, stored);
    const { probe } = group;
    if (probe) {
      for (const origin of group.origins) {
        this.probe(origin, probe).then(
          (good) => this.note(group, origin, good),
          () => this.note(group, origin, false),
        );
      }
    }
    this.cloud.clock.after((probe?.intervalSeconds ?? 30) * 1000, () => this.round(key));
  }

  private note(group: OriginGroup, origin: Origin, good: boolean): void {
    this.samples.set(origin.id, [...(this.samples.get(origin.id) ?? []), good].slice(-group.sampleSize));
  }

  private probe(origin: Origin, { path, method, protocol }: ProbeSettings): Promise<boolean> {
    return new Promise((resolve, reject) => {
      const headers = {
        'User-Agent': 'Edge Health Probe',
        ...(origin.hostHeader ? { Host: origin.hostHeader } : {}),
      };
      const options = {
        host: origin.host,
        port: origin.ports[protocol],
        path,
        method,
        headers,
        agent: false as const,
        timeout: PROBE_DEADLINE_MS,
      };
      const answered = (response: IncomingMessage): void => {
        response.resume();
        resolve(response.statusCode === 200);
      };
      const request =
        protocol === 'http'
          ? httpRequest(options, answered)
          : httpsRequest({ ...options, servername: origin.host, ca: this.ca }, answered);
      request.on('timeout', () => request.destroy(new Error('no answer in time')));
      request.on('error', reject);
      request.end();
    });
  }
}
