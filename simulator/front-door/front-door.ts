/** The Front Door stand-in. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { RequestLog } from '../http/request-log.ts';
import type { Cloud } from '../provider.ts';

export class FrontDoor {
  readonly url: string;
  private readonly requests: RequestLog;
  constructor(_cloud: Cloud, url: string, _ca: string, requests: RequestLog) {
    this.url = url;
    this.requests = requests;
  }
  handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    response.statusCode = 404;
    response.end();
    this.requests.add('front', request.method ?? 'GET', request.url ?? '/', 404);
    return Promise.resolve();
  }
  close(): void {
    this.requests.since(0);
  }
}
