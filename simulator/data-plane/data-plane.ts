/** A region's data-plane listener: blobs at `/{account}/…`, all other data planes below `/_/{prefix}/`. */

import type { IncomingMessage, ServerResponse } from 'node:http';
import type { BlobFront } from '../blobs/front.ts';
import { isForFiles } from '../files/address.ts';
import type { FileFront } from '../files/front.ts';
import { isForRegistry, type RegistryFront } from '../registry/front.ts';
import { dataPlaneParts, type Faults } from '../faults/faults.ts';
import { ArmError, type DataPlaneHandler, type DataPlaneResponse } from '../contract/index.ts';
import { errorAnswer, Unanswered } from '../http/answer.ts';
import { plainHeaders, readBody, send } from '../http/body.ts';
import type { Hanging } from '../http/hanging.ts';
import { serviceOf } from '../http/service-hosts.ts';
import { requestUrl, unreadableUrl } from '../http/request-url.ts';
import { serviceHeaders } from '../http/service-headers.ts';
import type { RequestLog } from '../http/request-log.ts';
import { requireReading, type VaultFailover } from '../services/vault-failover.ts';

/** Scoring requests and secrets: what a data plane takes whole. */
const LARGEST_BODY = 64 << 20;

/** Services that read their requests themselves: their bodies are large. */
interface Fronts {
  blobs: BlobFront;
  files: FileFront;
  registries: RegistryFront;
}

export class DataPlane {
  private readonly handlers = new Map<string, DataPlaneHandler>();
  private readonly faults: Faults;
  private readonly fronts: Fronts;
  private readonly requests: RequestLog;
  private readonly log: (message: string) => void;
  private readonly hanging: Hanging;
  private readonly vaults: VaultFailover;

  constructor(
    faults: Faults,
    fronts: Fronts,
    requests: RequestLog,
    log: (message: string) => void,
    hanging: Hanging,
    vaults: VaultFailover,
  ) {
    this.faults = faults;
    this.fronts = fronts;
    this.requests = requests;
    this.log = log;
    this.hanging = hanging;
    this.vaults = vaults;
  }

  register(prefix: string, handler: DataPlaneHandler): void {
    if (this.handlers.has(prefix)) throw new Error(`data plane '/_/${prefix}/' is registered twice`);
    this.handlers.set(prefix, handler);
  }

  async handle(region: string, message: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = pathOf(message);
    let status: number | null;
    try {
      if (!requestUrl('https://localhost', message)) throw unreadableUrl();
      const front = this.frontFor(message, path);
      status = front
        ? await front.handle(region, message, response)
        : await this.other(region, path, message, response);
    } catch (error) {
      if (error instanceof Unanswered) {
        if (error.mode === 'dark') message.socket.destroy();
        else this.hanging.keep(error.region, message.socket);
        status = null;
      } else if (error instanceof ArmError) {
        const answer = errorAnswer(error);
        send(response, (status = answer.status), { ...serviceHeaders(message), ...answer.headers }, answer.body);
      } else throw error;
    }
    this.requests.add(region, message.method ?? 'GET', path, status);
  }

  private frontFor({ headers, url = '/' }: IncomingMessage, path: string): Fronts[keyof Fronts] | undefined {
    if (isForFiles(headers.host, url)) return this.fronts.files;
    if (isForRegistry(headers.host, url)) return this.fronts.registries;
    return path.startsWith('/_/') ? undefined : this.fronts.blobs;
  }

  private async other(
    region: string,
    target: string,
    message: IncomingMessage,
    response: ServerResponse,
  ): Promise<number | null> {
    const url = new URL(`https://localhost${target}`);
    const [, , prefix = '', ...rest] = url.pathname.split('/');
    // Darkness first: who gets no answer is not read either.
    this.faults.requireUp(this.serving(region, prefix), dataPlaneParts(prefix));
    const answer = await this.answer(region, prefix, `/${rest.join('/')}`, url.searchParams, message);
    if (this.faults.takeDrop(region, message.method ?? 'GET', url.pathname)) {
      message.socket.destroy();
      return null;
    }
    const { status, headers = {}, body } = answer;
    const text = typeof body === 'string' ? Buffer.from(body) : body;
    const typed = typeof body === 'string' ? { 'Content-Type': 'text/plain; charset=utf-8' } : {};
    const all = { ...serviceHeaders(message), ...typed, ...headers };
    send(response, status, all, message.method === 'HEAD' ? undefined : text);
    return status;
  }

  /** Vaults alone are answered by another region than their own. */
  private serving(region: string, prefix: string): string {
    return prefix === 'vault' ? this.vaults.regionServing(region) : region;
  }

  private async answer(
    region: string,
    prefix: string,
    path: string,
    query: URLSearchParams,
    message: IncomingMessage,
  ): Promise<DataPlaneResponse> {
    const method = message.method ?? 'GET';
    try {
      const body = await readBody(message, LARGEST_BODY);
      const asked = { method, path: `/_/${prefix}${path}` };
      const serving = this.serving(region, prefix);
      this.faults.requireUp(serving, dataPlaneParts(prefix), asked);
      await this.faults.disturb(serving, asked);
      if (serving !== region) requireReading(asked, region);
      const handler = this.handlers.get(prefix);
      if (!handler)
        throw new ArmError(404, 'NotFound', `There is no data plane '/_/${prefix}/' in region '${region}'.`);
      return await handler({
        region,
        method,
        path: decodeURIComponent(path),
        query,
        headers: plainHeaders(message),
        body,
        caller: message.socket.remoteAddress,
      });
    } catch (error) {
      if (error instanceof ArmError) return errorAnswer(error);
      if (error instanceof URIError)
        return errorAnswer(new ArmError(400, 'InvalidUri', `The path '${path}' is not percent-encoded.`));
      this.log(`${region} ${method} ${message.url}: ${error instanceof Error ? error.stack : String(error)}`);
      return errorAnswer(
        new ArmError(500, 'InternalServerError', 'The local Azure failed to answer. Its log has the reason.'),
      );
    }
  }
}

/** A vault asked by its own host name is the vault below `/_/vault/`. */
function pathOf(message: IncomingMessage): string {
  const path = message.url ?? '/';
  const named = serviceOf(message.headers.host);
  return named?.service === 'vault' ? `/_/vault/${named.name}${path}` : path;
}
