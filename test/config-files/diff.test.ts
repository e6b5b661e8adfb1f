import { describe, expect, it } from 'vitest';
import { diffConfig } from '../../src/config-files/diff.ts';

function diff(before: string, after: string): string {
  return diffConfig({ file: '/etc/ml/a.yml', before, after });
}

describe('a diff', () => {
  it("has three lines of context and the file's name, and is empty when nothing changed", () => {
    const text = (value: string): string => ['a: 1', 'b: 2', 'c: 3', 'd: 4', `e: ${value}`, 'f: 6', ''].join('\n');
    expect(diff(text('x'), text('y'))).toBe(
      '--- a/etc/ml/a.yml\n+++ b/etc/ml/a.yml\n@@ -2,5 +2,5 @@\n b: 2\n c: 3\n d: 4\n-e: x\n+e: y\n f: 6\n',
    );
    expect(diff(text('x'), text('x'))).toBe('');
  });

  it('cuts what would not fit a history, and says so', () => {
    const long = (value: string): string => `a: ${value}${'x'.repeat(100_000)}\n`;
    expect(diff(long('1'), long('2')).length).toBeLessThan(1200);
    const many = (count: number, value: string): string =>
      Array.from({ length: count }, (_, n) => `k${n}: ${value}\n`).join('');
    expect(diff(many(500, 'x'), many(500, 'y'))).toMatch(/… \(\d+ more lines\)\n$/);
    expect(diff(many(3000, 'x'), many(3000, 'y'))).toContain('3000 changed values');
  });
});
