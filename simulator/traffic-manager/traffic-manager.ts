/**
 * The Traffic Manager stand-in. Traffic Manager answers names; it carries nothing. So there are two things here: the
 * answer, as DNS over HTTPS in JSON (`/dns-query?name=…` of the front), and a client with a resolver
 * (`https://{name}.trafficmanager.localhost:PORT/…`, or `/_tm/{name}/…` of the front) that asks, keeps the answer for
 * its time to live on the cloud's clock, and sends its requests there.
 */

import type { IncomingMessage, ServerResponse } from 'node:http';
import { Agent, request as httpsRequest } from 'node:https';
import { pipeline } from 'node:stream/promises';
import { send } from '../http/body.ts';
import type { RequestLog } from '../http/request-log.ts';
import { isObject, textOf } from '../resource/fields.ts';
import { requestUrl } from '../http/request-url.ts';
import { serviceOf } from '../http/service-hosts.ts';
import type { Cloud, Json, Stored } from '../contract/index.ts';
import { EndpointMonitor, type MonitorStatus } from './monitor.ts';
import { readProfile, TM_PROFILE, type Endpoint, type Profile } from './profile.ts';

const PREFIX = '/_tm/';
const RESOLVER = '/dns-query';
/** DNS: the name is there; there is no such name. */
const [NO_ERROR, NX_DOMAIN] = [0, 3];
const CNAME = 5;

interface Remembered {
  endpoint: Endpoint;
  until: number;
}

export class TrafficManager {
  private readonly cloud: Cloud;
  private readonly requests: RequestLog;
  private readonly monitor: EndpointMonitor;
  private readonly agent: Agent;
  private readonly remembered = new Map<string, Remembered>();

  constructor(cloud: Cloud, ca: string, requests: RequestLog) {
    this.cloud = cloud;
    this.requests = requests;
    this.monitor = new EndpointMonitor(cloud);
    this.agent = new Agent({ keepAlive: true, ca });
  }

  /** Takes note of new profiles. */
  refresh(): void {
    this.monitor.watch();
  }

  close(): void {
    this.monitor.close();
    this.agent.destroy();
  }

  /** How an endpoint is, by its own probes, or, nested, by those of the endpoints that it leads to. */
  status(id: string): MonitorStatus {
    const profile = this.cloud.store.get(id.split('/').slice(0, -2).join('/'));
    const endpoint = profile && readProfile(this.cloud.store, profile).endpoints.find((one) => one.id === id);
    return endpoint ? this.statusOf(endpoint) : this.monitor.status(id);
  }

  private statusOf({ id, child }: Endpoint): MonitorStatus {
    if (!child) return this.monitor.status(id);
    const stored = this.cloud.store.get(child.id);
    const nested = stored && readProfile(this.cloud.store, stored);
    if (!nested?.isEnabled) return 'Degraded';
    const all = nested.endpoints
      .filter(({ isEnabled }) => isEnabled)
      .map((one) => (one.alwaysServe ? 'Online' : this.statusOf(one)));
    const count = (status: MonitorStatus): number => all.filter((one) => one === status).length;
    if (count('Online') >= child.least) return 'Online';
    return count('Online') + count('CheckingEndpoint') >= child.least ? 'CheckingEndpoint' : 'Degraded';
  }

  forget(id: string): void {
    this.monitor.forget(id);
  }

  /** Is a request at the front, or by its host name at the ARM endpoint's port, for Traffic Manager? */
  isFor(listener: 'arm' | 'front', { headers, url = '/' }: IncomingMessage): boolean {
    if (serviceOf(headers.host)?.service === 'trafficManager') return true;
    return listener === 'front' && (url.startsWith(PREFIX) || url.split('?', 1)[0] === RESOLVER);
  }

  async handle(message: IncomingMessage, response: ServerResponse): Promise<void> {
    const status = await this.serve(message, response);
    this.requests.add('front', message.method ?? 'GET', message.url ?? '/', status);
  }

  private async serve(message: IncomingMessage, response: ServerResponse): Promise<number> {
    const url = requestUrl('https://localhost', message);
    if (!url) return refuse(message, response, 400, 'The URI of the request cannot be read.');
    const named = serviceOf(message.headers.host);
    if (named?.service !== 'trafficManager' && url.pathname === RESOLVER) {
      message.resume();
      const body = this.answer(url.searchParams.get('name') ?? '');
      send(response, 200, { 'Content-Type': 'application/dns-json' }, body);
      return 200;
    }
    const [, , below = '', ...rest] = url.pathname.split('/');
    const isByHost = named?.service === 'trafficManager';
    const name = isByHost ? named.name : below.toLowerCase();
    const endpoint = this.resolved(name);
    if (!endpoint)
      return refuse(
        message,
        response,
        404,
        `The name '${name}' is not resolved: no such profile, or none of its endpoints is enabled.`,
      );
    return this.forward(message, response, endpoint, (isByHost ? url.pathname : `/${rest.join('/')}`) + url.search);
  }

  /** The endpoint that a client's resolver has for the name: an answer is kept for its time to live. */
  private resolved(name: string): Endpoint | undefined {
    const held = this.remembered.get(name);
    if (held && held.until > this.cloud.clock.now()) return held.endpoint;
    const profile = this.profile(name);
    const [endpoint] = profile ? this.choose(profile) : [];
    if (!profile || !endpoint) {
      this.remembered.delete(name);
      return undefined;
    }
    this.remembered.set(name, { endpoint, until: this.cloud.clock.now() + profile.ttlSeconds * 1000 });
    return endpoint;
  }

  /** What the name servers say: an answer of `application/dns-json`. */
  private answer(asked: string): Json {
    const name = asked.toLowerCase().replace(/\.$/, '');
    const profile = this.profile(name.split('.')[0] ?? '');
    const isKnown = profile !== undefined && /^[a-z0-9-]+\.trafficmanager\.localhost$/.test(name) && profile.isEnabled;
    const Answer = isKnown
      ? this.choose(profile).map(({ host }) => ({ name, type: CNAME, TTL: profile.ttlSeconds, data: host }))
      : [];
    return {
      Status: isKnown ? NO_ERROR : NX_DOMAIN,
      TC: false,
      RD: true,
      RA: true,
      Question: [{ name, type: CNAME }],
      Answer,
    };
  }

  private profile(name: string): Profile | undefined {
    const stored = this.cloud.store.ofType(TM_PROFILE).find((one) => relativeNameOf(one) === name);
    return stored && readProfile(this.cloud.store, stored);
  }

  /**
   * The endpoints that the routing method gives; a nested one gives those of its profile. With none online, all that
   * are enabled count as online.
   */
  private choose(profile: Profile): Endpoint[] {
    return this.chosenOf(profile).flatMap((endpoint) => {
      const child = endpoint.child && this.cloud.store.get(endpoint.child.id);
      return child ? this.choose(readProfile(this.cloud.store, child)) : [endpoint];
    });
  }

  private chosenOf({ isEnabled, method, maxReturn, endpoints }: Profile): Endpoint[] {
    if (!isEnabled) return [];
    const enabled = endpoints.filter((one) => one.isEnabled);
    const online = enabled.filter((one) => one.alwaysServe || this.statusOf(one) !== 'Degraded');
    const usable = online.length > 0 ? online : enabled;
    switch (method) {
      case 'Weighted':
        return this.drawn(usable);
      case 'MultiValue':
        return usable.slice(0, maxReturn);
      case 'Priority':
        return usable.toSorted((a, b) => a.priority - b.priority).slice(0, 1);
      case 'Performance':
        // Every caller on loopback is equally near to all: the first is as good as any.
        return usable.slice(0, 1);
      default:
        return [];
    }
  }

  private drawn(usable: Endpoint[]): Endpoint[] {
    let point = this.cloud.random() * usable.reduce((sum, { weight }) => sum + weight, 0);
    const found = usable.find(({ weight }) => (point -= weight) < 0) ?? usable.at(-1);
    return found ? [found] : [];
  }

  private async forward(
    message: IncomingMessage,
    response: ServerResponse,
    { host, port }: Endpoint,
    path: string,
  ): Promise<number> {
    const { method, headers } = message;
    const outgoing = httpsRequest({ host, servername: host, port, method, path, headers, agent: this.agent });
    try {
      const answered = new Promise<IncomingMessage>((resolve, reject) =>
        outgoing.on('response', resolve).on('error', reject),
      );
      pipeline(message, outgoing).catch(() => undefined); // Whatever breaks the way there breaks `answered`, too.
      const incoming = await answered;
      response.writeHead(incoming.statusCode ?? 502, incoming.rawHeaders);
      await pipeline(incoming, response).catch(() => outgoing.destroy());
      return incoming.statusCode ?? 502;
    } catch (error) {
      return refuse(
        message,
        response,
        502,
        `'${host}:${port}', which the name was resolved to, failed (${(error as Error).message}).`,
      );
    }
  }
}

/** 'fraud' of fraud.trafficmanager.localhost */
export function relativeNameOf({ resource }: Stored): string {
  const { dnsConfig } = resource.properties;
  return isObject(dnsConfig) ? textOf(dnsConfig.relativeName).toLowerCase() : '';
}

function refuse(message: IncomingMessage, response: ServerResponse, status: number, text: string): number {
  message.resume();
  if (response.headersSent) response.destroy();
  else send(response, status, { 'Content-Type': 'text/plain; charset=utf-8' }, Buffer.from(`${text}\n`));
  return status;
}
