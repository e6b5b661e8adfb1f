import { expect } from 'vitest';
import { ConfigError } from '../../src/config-files/error.ts';
import { rewriteConfig, type RewrittenConfig } from '../../src/config-files/rewrite.ts';
import { mapping } from './mapping.ts';

export function rewrite(file: string, content: string | Uint8Array, over = mapping): RewrittenConfig {
  return rewriteConfig({ file, content, mapping: over });
}

/** Lines that differ, old and new, in order; the line breaks must be as many. */
function changedLines(before: string, after: string): [string, string][] {
  const old = before.split('\n');
  const next = after.split('\n');
  expect(next).toHaveLength(old.length);
  return old.flatMap((line, index): [string, string][] => (line === next[index] ? [] : [[line, next[index] ?? '']]));
}

/** Rewrites, checks that a second run changes nothing, and answers the changed lines. */
export function changes(file: string, content: string): [string, string][] {
  const result = rewrite(file, content);
  const again = rewrite(file, result.content);
  expect(again.content).toBe(result.content);
  expect(again.changes).toEqual([]);
  return changedLines(content, result.content);
}

export function errorOf(action: () => unknown): ConfigError {
  try {
    action();
  } catch (error) {
    if (error instanceof ConfigError) return error;
    throw error;
  }
  throw new Error('expected a ConfigError');
}
