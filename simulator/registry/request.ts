/** What a registry is asked, and what it answers. */

import type { IncomingMessage } from 'node:http';
import type { Json, Stored } from '../contract/index.ts';
import type { RegistryStore } from './registry-store.ts';

export interface RegistryAnswer {
  status: number;
  headers?: Record<string, string>;
  body?: Json | Buffer;
  /** A blob's content, in place of a body. */
  stream?: ReturnType<RegistryStore['stream']>;
}

/** A request of one registry. */
export interface RegistryRequest {
  registry: Stored;
  name: string;
  method: string;
  /** Below the registry: '/v2/…'. */
  path: string;
  query: URLSearchParams;
  headers: Record<string, string>;
  /** What Location headers start with. */
  base: string;
  message: IncomingMessage;
}
