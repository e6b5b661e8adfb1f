/** Health of origins: probes at their group's interval, on the cloud's clock, judged by the last samples. */

import { request as httpRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { ProbeRounds } from '../clock/probe-rounds.ts';
import type { Cloud, Stored } from '../contract/index.ts';
import { ORIGIN_GROUP, readGroup, type Origin, type OriginGroup, type ProbeSettings } from './configuration.ts';

const PROBE_DEADLINE_MS = 5000;

export class OriginHealth {
  private readonly cloud: Cloud;
  private readonly ca: string;
  private readonly rounds: ProbeRounds;
  private readonly samples = new Map<string, boolean[]>();

  constructor(cloud: Cloud, ca: string) {
    this.cloud = cloud;
    this.ca = ca;
    this.rounds = new ProbeRounds(cloud, ORIGIN_GROUP, (group) => this.round(group));
  }

  watch(): void {
    this.rounds.watch();
  }

  close(): void {
    this.rounds.close();
  }

  /** A sample that was not taken yet counts as a success: origins start healthy. */
  isHealthy(group: OriginGroup, origin: Origin): boolean {
    if (!group.probe) return true;
    const samples = (this.samples.get(origin.id) ?? []).slice(-group.sampleSize);
    const failures = samples.filter((good) => !good).length;
    return group.sampleSize - failures >= group.successesRequired;
  }

  private round(stored: Stored): number {
    const group = readGroup(this.cloud.store, stored);
    const { probe } = group;
    if (!probe) return 30;
    for (const origin of group.origins) {
      this.probe(origin, probe).then(
        (good) => this.note(group, origin, good),
        () => this.note(group, origin, false),
      );
    }
    return probe.intervalSeconds;
  }

  private note(group: OriginGroup, origin: Origin, good: boolean): void {
    this.samples.set(origin.id, [...(this.samples.get(origin.id) ?? []), good].slice(-group.sampleSize));
  }

  private probe(origin: Origin, { path, method, protocol }: ProbeSettings): Promise<boolean> {
    return new Promise((resolve, reject) => {
      const headers = {
        'User-Agent': 'Edge Health Probe',
        'X-FD-HealthProbe': '1',
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
