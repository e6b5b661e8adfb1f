/** The digest by which a document that is written once is addressed: sha256, hex. */
import { createHash } from 'node:crypto';

export function digestOf(content: string | Buffer): string {
  return createHash('sha256').update(content).digest('hex');
}
