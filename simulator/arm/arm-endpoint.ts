/**
 * The global endpoint: Entra, the cloud's description, and ARM with its envelope of headers, errors and authentication.
 */

import type { IncomingMessage, ServerResponse } from 'node:http';
import { cloudMetadata, type Entra } from '../entra/endpoints.ts';
import { ARM_AUDIENCES, type TokenService } from '../entra/tokens.ts';
import { isVersion } from '../resource/api-version.ts';
import { ArmError } from '../contract/index.ts';
import { errorAnswer, Unanswered, type Answer, type ArmRequest } from '../http/answer.ts';
import { parseJson, plainHeaders, readBody, send } from '../http/body.ts';
import { dispatch } from './dispatch.ts';
import type { Engine } from './engine.ts';
import type { Hanging } from '../http/hanging.ts';
import { parseTarget } from '../resource/ids.ts';
import { parameter } from '../http/paging.ts';
import type { RateLimits } from './rate-limits.ts';
import type { RequestLog } from '../http/request-log.ts';
import { requestUrl, unreadableUrl } from '../http/request-url.ts';
import { armHeaders } from '../http/service-headers.ts';

export class ArmEndpoint {
  private readonly engine: Engine;
  private readonly entra: Entra;
  private readonly tokens: TokenService;
  private readonly limits: RateLimits;
  private readonly log: RequestLog;
  private readonly hanging: Hanging;

  constructor(
    engine: Engine,
    entra: Entra,
    tokens: TokenService,
    limits: RateLimits,
    log: RequestLog,
    hanging: Hanging,
  ) {
    this.engine = engine;
    this.entra = entra;
    this.tokens = tokens;
    this.limits = limits;
    this.log = log;
    this.hanging = hanging;
  }

  /** Handles one HTTP request; never rejects for what a client does. */
  async handle(message: IncomingMessage, response: ServerResponse): Promise<void> {
    const method = message.method ?? 'GET';
    const limits: Record<string, string> = {};
    const { armEndpoint } = this.engine.cloud;
    const known = requestUrl(armEndpoint, message);
    const url = known ?? new URL(armEndpoint);
    let answer: Answer;
    try {
      if (!known) throw unreadableUrl();
      answer = await this.answer(message, method, url, limits);
    } catch (error) {
      if (message.destroyed && !message.complete) {
        this.log.add('arm', method, url.pathname + url.search, null);
        return; // The client left in the middle of its request.
      }
      if (error instanceof Unanswered) {
        this.log.add('arm', method, url.pathname + url.search, null);
        if (error.mode === 'dark') message.socket.destroy();
        else this.hanging.keep(error.region, message.socket);
        return;
      }
      answer = errorAnswer(this.asArmError(error, method, url.pathname));
    }
    const lost = this.engine.faults.takeDrop(this.regionOf(url.pathname), method, url.pathname);
    this.log.add('arm', method, url.pathname + url.search, lost ? null : answer.status);
    if (lost) message.socket.destroy();
    else
      send(
        response,
        answer.status,
        { ...armHeaders(message), ...limits, ...answer.headers },
        method === 'HEAD' ? undefined : answer.body,
      );
  }

  /** `limits` gets the headers that tell what is left of Resource Manager's limits: errors have them, too. */
  private async answer(
    message: IncomingMessage,
    method: string,
    url: URL,
    limits: Record<string, string>,
  ): Promise<Answer> {
    const path = safeDecode(url.pathname);
    if (path.toLowerCase() === '/metadata/endpoints') return this.metadata(url);
    const body = await readBody(message);
    if (!/^\/(subscriptions|providers|tenants|resources|batch)(\/|$)/i.test(path)) {
      const answered = this.entra.answer(method, path, body.toString('utf8'), message.headers.authorization);
      if (answered) return { ...answered, headers: { 'Cache-Control': 'no-store' } };
    }
    const request = this.read(message, method, url, body);
    Object.assign(limits, this.limits.take(request));
    return dispatch(this.engine, request);
  }

  /** Authentication, then api-version, then the body: the order in which ARM refuses. */
  private read(message: IncomingMessage, method: string, url: URL, body: Buffer): ArmRequest {
    const arm = this.engine.cloud.armEndpoint;
    const principal = this.tokens.check(message.headers.authorization, [arm, ...ARM_AUDIENCES], {
      where: `authorization_uri="${arm}/${this.engine.cloud.tenantId}"`,
      missing: "The authentication failed because of missing 'Authorization' header.",
    });
    const apiVersion = parameter(url.searchParams, 'api-version');
    if (!apiVersion) {
      throw new ArmError(
        400,
        'MissingApiVersionParameter',
        'The api-version query parameter (?api-version=) is required for all requests.',
      );
    }
    if (!isVersion(apiVersion)) {
      throw new ArmError(
        400,
        'InvalidApiVersionParameter',
        `The api-version '${apiVersion}' is invalid: expected a date and maybe a suffix, as in '2024-04-01-preview'.`,
      );
    }
    requireJsonType(message.headers['content-type'], body);
    const path = url.pathname.replace(/\/+$/, '');
    return {
      method,
      path,
      query: url.searchParams,
      headers: plainHeaders(message),
      body: parseJson(body),
      apiVersion,
      principal,
    };
  }

  private metadata(url: URL): Answer {
    const { armEndpoint, tenantId } = this.engine.cloud;
    const apiVersion = parameter(url.searchParams, 'api-version') ?? '';
    return { status: 200, body: cloudMetadata(armEndpoint, armEndpoint, tenantId, apiVersion) };
  }

  private regionOf(path: string): string | null {
    const target = parseTarget(path);
    const id =
      target.kind === 'resource'
        ? target.id.id
        : target.kind === 'collection'
          ? (target.parent ?? target.scope)
          : undefined;
    return (id && this.engine.cloud.store.get(id)?.region) || null;
  }

  private asArmError(error: unknown, method: string, path: string): ArmError {
    if (error instanceof ArmError) return error;
    this.engine.cloud.log(`${method} ${path}: ${error instanceof Error ? error.stack : String(error)}`);
    return new ArmError(
      500,
      'InternalServerError',
      `The local Azure failed to answer '${method} ${path}'. Its log has the reason.`,
    );
  }
}

/** Throws ArmError 415 for a body that does not call itself JSON; what is empty need not call itself anything. */
function requireJsonType(type: string | undefined, body: Buffer): void {
  if (body.length === 0 || /^\s*(application|text)\/(json|[\w.-]+\+json)\s*(;|$)/i.test(type ?? '')) return;
  const named = type === undefined || type.trim() === '' ? '<null>' : type.split(';', 1)[0]?.trim();
  throw new ArmError(
    415,
    'UnsupportedMediaType',
    `The content media type '${named}' is not supported. Only 'application/json' is supported.`,
  );
}

function safeDecode(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return path; // A stray '%' is no name of anything here: the routes below answer 404.
  }
}
