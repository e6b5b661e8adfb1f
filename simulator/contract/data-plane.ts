/** A handler of requests on a region's data plane, below `/_/{prefix}/`. */

import type { Json } from './json.ts';

export interface DataPlaneRequest {
  region: string;
  method: string;
  /** The path after `/_/{prefix}`, decoded, starting with '/'. */
  path: string;
  query: URLSearchParams;
  headers: Record<string, string>;
  body: Buffer;
  /** The address that the connection comes from. */
  caller?: string | undefined;
}
export interface DataPlaneResponse {
  status: number;
  headers?: Record<string, string>;
  body?: Json | Buffer | string;
}
export type DataPlaneHandler = (request: DataPlaneRequest) => Promise<DataPlaneResponse> | DataPlaneResponse;
