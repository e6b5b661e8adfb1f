/** What the demo says with --keep: every line can be typed as it stands, in the folder that the demo was started in. */
import { readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';

export interface Kept {
  /** The demo's folder. */
  home: string;
  topology: string;
  /** What the demo's environment file holds. */
  environment: NodeJS.ProcessEnv;
}

/** `from`: where the person stands. */
export function closingText({ home, topology, environment }: Kept, from = process.cwd()): string {
  const at = (...path: string[]) => quoted(relative(from, join(...path)) || '.');
  const command = typed(from);
  const folder = at(home, 'stack');
  const { temporal, cloud } = JSON.parse(readFileSync(join(home, 'stack', 'stack.json'), 'utf8')) as {
    temporal: { address: string; ui?: string };
    cloud: { arm: string; admin: string; front: string; proxy?: string };
  };
  const addresses: [string, string | undefined][] = [
    ['Temporal', temporal.address],
    ['Temporal UI', temporal.ui],
    ['what clients call', environment.SCORE_URL],
    ['Azure (local)', cloud.arm],
    ['its front', cloud.front],
    ['its proxy', cloud.proxy && `${cloud.proxy} (for machines that do not resolve names below "localhost")`],
    ['faults, clock', cloud.admin],
    ['credentials', `${at(home, 'fraud.env')} (az and azure-ai-ml take them too)`],
  ];
  const lines = addresses.flatMap(([name, value]) => (value === undefined ? [] : [`  ${name.padEnd(18)}${value}`]));
  return `
The stack is up:
${lines.join('\n')}

To go on, from here:
  alias u="${command} --environment ${at(home, 'fraud.env')} -t ${at(topology)}"
  u status
  u runs
Workers of your own (the demo's have ended):
  u worker &
  u worker --host train-01 &
The outage ends, that region becomes a standby again, and the workspace goes home:
  ${command} chaos stop --folder ${folder}
  u reprotect
  u failback --plan
  u switchover --reason "back to eastus"
Another outage:
  ${command} chaos list
End it (and the workers: kill %1 %2):
  ${command} stack down --folder ${folder}`;
}

/** The program, as one types it in that folder. By its path: npx would fetch somebody else's program of this name. */
export function typed(from = process.cwd()): string {
  const path = relative(from, join(dirname(import.meta.dirname), 'bin', 'understudy.mjs'));
  return quoted(path.startsWith('.') ? path : `./${path}`);
}

function quoted(path: string): string {
  return /^[\w./~-]+$/.test(path) ? path : `'${path}'`;
}
