/** The digest that addresses a document that is written once: sha256, hex. */
import { createHash } from 'node:crypto';

/** Returns SHA-256, as hex. */
export function digestOf(content: string | Buffer): string {
  return createHash('sha256').update(content).digest('hex');
}
