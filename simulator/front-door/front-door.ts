/**
 * The Front Door stand-in: `https://localhost:PORT/_/{endpoint}/…` really forwards, to the enabled, healthy origins of
 * the lowest priority, by their weights.
 */

import { randomUUID } from 'node:crypto';
import { Agent as HttpAgent, request as httpRequest, type IncomingMessage, type ServerResponse } from 'node:http';
import { Agent, request as httpsRequest } from 'node:https';
import { pipeline } from 'node:stream/promises';
import { send } from '../http/body.ts';
import { requestUrl } from '../http/request-url.ts';
import type { RequestLog } from '../http/request-log.ts';
import type { Cloud, Stored } from '../contract/index.ts';
import {
  ENDPOINT,
  inForce,
  isEnabled,
  matchRoute,
  type Match,
  type Origin,
  type OriginGroup,
} from './configuration.ts';
import { forwardedHeaders, HOP_HEADERS } from './headers.ts';
import { OriginHealth } from './health.ts';

export class FrontDoor {
  private readonly cloud: Cloud;
  private readonly url: string;
  private readonly requests: RequestLog;
  private readonly health: OriginHealth;
  private readonly agent: Agent;
  private readonly plainAgent = new HttpAgent({ keepAlive: true });

  /** `url`: where the front listens. `ca`: the authority that its origins on this machine are trusted by. */
  constructor(cloud: Cloud, url: string, ca: string, requests: RequestLog) {
    this.cloud = cloud;
    this.url = url;
    this.requests = requests;
    this.health = new OriginHealth(cloud, ca);
    this.agent = new Agent({ keepAlive: true, ca });
  }

  /** What a client calls for an endpoint, after 'https://'. */
  hostName(label: string): string {
    return `${new URL(this.url).host}/_/${label}`;
  }

  /** Takes note of new origin groups. */
  refresh(): void {
    this.health.watch();
  }

  close(): void {
    this.health.close();
    this.agent.destroy();
    this.plainAgent.destroy();
  }

  async handle(message: IncomingMessage, response: ServerResponse): Promise<void> {
    const status = await this.serve(message, response);
    this.requests.add('front', message.method ?? 'GET', message.url ?? '/', status);
  }

  private async serve(message: IncomingMessage, response: ServerResponse): Promise<number> {
    const url = requestUrl('https://localhost', message);
    if (!url) return refuse(message, response, 400, 'The URI of the request cannot be read.');
    const [, marker, label = '', ...rest] = url.pathname.split('/');
    const endpoint = marker === '_' ? this.endpoint(label) : undefined;
    if (!endpoint) return refuse(message, response, 404, 'Our services could not find this endpoint.');
    const match = matchRoute(this.cloud.store, endpoint, `/${rest.join('/')}`);
    if (!match) return refuse(message, response, 404, 'No route of this endpoint matches the path.');
    const origin = this.choose(match.group);
    if (!origin)
      return refuse(
        message,
        response,
        503,
        'Our services are not available right now: the origin group has no enabled origin.',
      );
    return this.forward(message, response, origin, { ...match, path: match.path + url.search });
  }

  private endpoint(label: string): Stored | undefined {
    return this.cloud.store
      .ofType(ENDPOINT)
      .find((one) => one.hidden.label === label.toLowerCase() && isEnabled(inForce(one)));
  }

  /**
   * With no healthy origin at all Front Door spreads its requests evenly over every enabled one, whatever their
   * priorities and weights, for its probes may be what is wrong. Source: "Health probes", "Complete health probe
   * failure".
   */
  private choose(group: OriginGroup): Origin | undefined {
    const healthy = group.origins.filter((origin) => this.health.isHealthy(group, origin));
    if (healthy.length === 0) return group.origins[Math.floor(this.cloud.random() * group.origins.length)];
    const first = Math.min(...healthy.map(({ priority }) => priority));
    const candidates = healthy.filter(({ priority }) => priority === first);
    let point = this.cloud.random() * candidates.reduce((sum, { weight }) => sum + weight, 0);
    return candidates.find(({ weight }) => (point -= weight) < 0) ?? candidates.at(-1);
  }

  private async forward(
    message: IncomingMessage,
    response: ServerResponse,
    origin: Origin,
    match: Match,
  ): Promise<number> {
    const reference = randomUUID();
    const { host } = origin;
    const port = origin.ports[match.protocol];
    const options = {
      host,
      port,
      method: message.method,
      path: match.path,
      headers: forwardedHeaders(message, origin, match.frontDoorId, reference),
      timeout: match.timeoutSeconds * 1000,
    };
    const outgoing =
      match.protocol === 'http'
        ? httpRequest({ ...options, agent: this.plainAgent })
        : httpsRequest({ ...options, servername: host, agent: this.agent });
    try {
      const answered = new Promise<IncomingMessage>((resolve, reject) =>
        outgoing.on('response', resolve).on('error', reject),
      );
      outgoing.on('timeout', () =>
        outgoing.destroy(new Error(`the origin did not answer within ${match.timeoutSeconds} s`)),
      );
      pipeline(message, outgoing).catch(() => undefined); // Whatever breaks the way there breaks `answered`, too.
      const incoming = await answered;
      const kept = incoming.rawHeaders.filter(
        (_, i) => !HOP_HEADERS.has((incoming.rawHeaders[i - (i % 2)] ?? '').toLowerCase()),
      );
      response.writeHead(incoming.statusCode ?? 502, [...kept, 'x-azure-ref', reference, 'x-cache', 'CONFIG_NOCACHE']);
      await pipeline(incoming, response).catch(() => outgoing.destroy());
      return incoming.statusCode ?? 502;
    } catch (error) {
      return refuse(
        message,
        response,
        503,
        `Our services are not available right now: the origin '${host}:${port}' failed (${(error as Error).message}).`,
      );
    }
  }
}

function refuse(message: IncomingMessage, response: ServerResponse, status: number, text: string): number {
  message.resume();
  if (response.headersSent) response.destroy();
  else
    send(
      response,
      status,
      { 'x-azure-ref': randomUUID(), 'Content-Type': 'text/plain; charset=utf-8' },
      message.method === 'HEAD' ? undefined : Buffer.from(`${text}\n`),
    );
  return status;
}
