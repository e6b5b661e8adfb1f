/**
 * Traffic Manager's probes of endpoints: at the profile's interval on the cloud's clock; an endpoint is degraded after
 * more failures in a row than are tolerated, and online after one success. Certificates are not checked, as Azure's
 * probes do not.
 */

import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { connect } from 'node:net';
import { ProbeRounds } from '../clock/probe-rounds.ts';
import type { Cloud, Stored } from '../contract/index.ts';
import { readProfile, TM_PROFILE, type Endpoint, type Monitor } from './profile.ts';

export type MonitorStatus = 'CheckingEndpoint' | 'Online' | 'Degraded';

export class EndpointMonitor {
  private readonly cloud: Cloud;
  private readonly rounds: ProbeRounds;
  private readonly states = new Map<string, { status: MonitorStatus; failures: number }>();

  constructor(cloud: Cloud) {
    this.cloud = cloud;
    this.rounds = new ProbeRounds(cloud, TM_PROFILE, (profile) => this.round(profile));
  }

  watch(): void {
    this.rounds.watch();
  }

  close(): void {
    this.rounds.close();
  }

  status(id: string): MonitorStatus {
    return this.states.get(id.toLowerCase())?.status ?? 'CheckingEndpoint';
  }

  /** Something else is there now: what was seen before says nothing of it. */
  forget(id: string): void {
    this.states.delete(id.toLowerCase());
  }

  private round(profile: Stored): number {
    const { isEnabled, monitor, endpoints } = readProfile(this.cloud.store, profile);
    for (const endpoint of endpoints.filter((one) => isEnabled && isProbed(one))) {
      probe(endpoint, monitor).then(
        (good) => this.note(endpoint.id, good, monitor),
        () => this.note(endpoint.id, false, monitor),
      );
    }
    return monitor.intervalSeconds;
  }

  private note(id: string, isGood: boolean, { toleratedFailures }: Monitor): void {
    const key = id.toLowerCase();
    const before = this.states.get(key) ?? { status: 'CheckingEndpoint', failures: 0 };
    const failures = isGood ? 0 : before.failures + 1;
    const status = isGood ? 'Online' : failures > toleratedFailures ? 'Degraded' : before.status;
    this.states.set(key, { status, failures });
  }
}

/** A nested endpoint is as well as its profile's own endpoints are. */
function isProbed({ isEnabled, alwaysServe, child }: Endpoint): boolean {
  return isEnabled && !alwaysServe && child === undefined;
}

function probe({ host, port }: Endpoint, monitor: Monitor): Promise<boolean> {
  const timeout = monitor.timeoutSeconds * 1000;
  return new Promise((resolve, reject) => {
    if (monitor.protocol === 'TCP') {
      const socket = connect({ host, port, timeout }, () => resolve(socket.end() !== undefined));
      socket.on('timeout', () => socket.destroy(new Error('no answer in time'))).on('error', reject);
      return;
    }
    const ask = monitor.protocol === 'HTTPS' ? httpsRequest : httpRequest;
    const headers = { 'User-Agent': 'Azure Traffic Manager Endpoint Monitor', ...monitor.headers };
    const options = {
      host,
      port,
      path: monitor.path,
      headers,
      agent: false as const,
      timeout,
      rejectUnauthorized: false,
    };
    const request = ask(options, (response) => {
      const { statusCode = 0 } = response;
      response.resume();
      resolve(monitor.expected.some(({ min, max }) => statusCode >= min && statusCode <= max));
    });
    request.on('timeout', () => request.destroy(new Error('no answer in time')));
    request.on('error', reject).end();
  });
}
