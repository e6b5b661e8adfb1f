/** Lists name the endpoint that they are of: Azurite's own gives way to the one that was asked. */

import { Transform, type TransformCallback } from 'node:stream';

/** Replaces the `ServiceEndpoint` of the list's first element, and passes everything after it on as it is. */
export function withServiceEndpoint(endpoint: string): Transform {
  let head: string | undefined = '';
  return new Transform({
    transform(chunk: Buffer, _encoding, done: TransformCallback): void {
      if (head === undefined) return done(null, chunk);
      head += chunk.toString('latin1'); // Byte by byte: a character may be cut by the end of the chunk.
      if (!/<EnumerationResults[^>]*>/.test(head)) return done();
      const named = head.replace(/ ServiceEndpoint="[^"]*"/, () => ` ServiceEndpoint="${endpoint}"`);
      head = undefined;
      return done(null, Buffer.from(named, 'latin1'));
    },
    flush(done: TransformCallback): void {
      done(null, head ? Buffer.from(head, 'latin1') : undefined);
    },
  });
}
