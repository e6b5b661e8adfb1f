/**
 * Three groups of tests. `unit` and `temporal` run side by side, three files at a time, since they wait as often as they
 * compute; `temporal` needs a real Temporal server, which test/temporal.ts starts once. `e2e` runs whole operations after
 * them, each file on a stack of its own, two at a time.
 */
import { defineConfig } from 'vitest/config';

// A developer's own accounts must not reach a test: the tests bring their own Azure and their own Temporal. Only who names a
// subscription to try our beliefs on lends them theirs (see docs/assumptions.md).
const lent = process.env.ASSUMPTIONS_SUBSCRIPTION !== undefined;
for (const name of Object.keys(process.env)) {
  if (lent && name.startsWith('AZURE_')) continue;
  if (/^(AZURE(?!_SPECS$)|TEMPORAL|UNDERSTUDY)_/.test(name)) delete process.env[name];
}

const onTemporal = ['test/workflows/**/*.test.ts', 'test/client/**/*.test.ts'];
const whole = ['test/e2e/**/*.test.ts'];

export default defineConfig({
  test: {
    pool: 'forks',
    maxWorkers: 2,
    projects: [
      {
        extends: true,
        test: {
          name: 'unit',
          include: ['test/**/*.test.ts'],
          exclude: [...onTemporal, ...whole],
          maxWorkers: 3,
          testTimeout: 30_000,
          hookTimeout: 60_000,
          sequence: { groupOrder: 0 },
        },
      },
      {
        extends: true,
        test: {
          name: 'temporal',
          include: onTemporal,
          globalSetup: ['test/temporal.ts'],
          maxWorkers: 3,
          testTimeout: 180_000,
          hookTimeout: 180_000,
          sequence: { groupOrder: 0 },
        },
      },
      {
        extends: true,
        test: {
          name: 'e2e',
          include: whole,
          globalSetup: ['test/e2e/template.ts'],
          testTimeout: 400_000,
          hookTimeout: 400_000,
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
});
