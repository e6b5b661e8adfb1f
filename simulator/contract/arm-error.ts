/** Errors as ARM answers them. */

import type { JsonObject } from './json.ts';

/** An error in ARM's shape: `{ error: { code, message, target?, details? } }` with this HTTP status. */
export class ArmError extends Error {
  readonly status: number;
  readonly code: string;
  readonly target: string | undefined;
  readonly details: { code: string; message: string }[] | undefined;
  /** `[{ type, info }]`: more than the message tells, for programs. */
  readonly additionalInfo: JsonObject[] | undefined;
  readonly headers: Record<string, string>;
  constructor(
    status: number,
    code: string,
    message: string,
    more: {
      target?: string;
      details?: { code: string; message: string }[];
      additionalInfo?: JsonObject[];
      headers?: Record<string, string>;
    } = {},
  ) {
    super(message);
    this.name = 'ArmError';
    this.status = status;
    this.code = code;
    this.target = more.target;
    this.details = more.details;
    this.additionalInfo = more.additionalInfo;
    this.headers = more.headers ?? {};
  }
}
