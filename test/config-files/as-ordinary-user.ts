/**
 * Looks at a target and then rewrites it, as the user that it is given: a program, since a process cannot become root
 * again.
 */
import { ConfigError } from '../../src/config-files/error.ts';
import type { LookRequest } from '../../src/config-files/outcome.ts';
import { applyConfigs, lookAtConfigs } from '../../src/config-files/targets.ts';

const { target, mapping, user } = JSON.parse(process.argv[2] ?? '') as LookRequest & { user: number };
if (process.geteuid?.() === 0) {
  process.setgroups?.([user]);
  process.setgid?.(user);
  process.setuid?.(user);
}
const { findings } = await lookAtConfigs({ target, mapping });
const rewriting: unknown = await applyConfigs({ target, mapping, runId: 'run-1' }).catch((error: unknown) => {
  if (error instanceof ConfigError) return error.diagnosis;
  throw error;
});
const refused = findings.length > 0 ? rewriting : undefined;
process.stdout.write(JSON.stringify({ findings, refused }));
