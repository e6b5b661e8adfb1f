/**
 * The local Azure as a program: `node simulator/main.ts --state DIR [--port N]`. Prints one JSON line on stdout when it
 * is ready (the same as DIR/cloud.json), logs on stderr, and stops cleanly on SIGTERM and SIGINT. Exit codes: 0
 * stopped, 1 failed, 2 bad usage. `--scenarios` prints what can be made to fail, as JSON, and starts nothing.
 */

import { parseArgs } from 'node:util';
import { listedScenarios } from './admin/chaos-calls.ts';
import { startCloud, type CloudOptions } from './cloud.ts';
import { requireRegions } from './resource/regions.ts';

const USAGE = `usage: node simulator/main.ts --state DIR [options]
  --state DIR           where everything is kept; made if it is not there
  --port N              port of the ARM endpoint on the first start (default: a free one)
  --regions a,b,c       (default: those of the last start, at first eastus,westus3,centralus)
  --token-seconds N     how long bearer tokens live (default: 300)
  --speed N             clock seconds per real second on the first start; 0: stands still (default: 1)
  --pace N              multiplies the time of long-running operations (default: 1)
  --role-delay N        clock seconds until a change of role assignments takes effect (default: 5)
  --throttling azure|off  Resource Manager's limits for a principal (default: azure)
  --seed N              seed of the injected faults (default: 1)
  --scenarios           print the scenarios of failures as JSON, and start nothing
  --help                print this`;

interface Bounds {
  least?: number;
  most?: number;
  whole?: boolean;
}

function numberOf(name: string, text: string | undefined, bounds: Bounds = {}): number | undefined {
  if (text === undefined) return undefined;
  const { least = 0, most = Infinity, whole = false } = bounds;
  const value = Number(text);
  const fits = text.trim() !== '' && Number.isFinite(value) && value >= least && value <= most;
  if (!fits || (whole && !Number.isInteger(value)))
    throw new RangeError(
      `--${name}: expected a ${whole ? 'whole ' : ''}number from ${least} ${most === Infinity ? 'on' : `to ${most}`}, got "${text}"`,
    );
  return value;
}

function throttlingOf(text: string | undefined): 'azure' | 'off' | undefined {
  if (text === undefined || text === 'azure' || text === 'off') return text;
  throw new RangeError(`--throttling: expected azure or off, got "${text}"`);
}

/** What is asked, or what the program prints instead of starting. */
function readOptions(): CloudOptions | string {
  const { values } = parseArgs({
    options: {
      help: { type: 'boolean', short: 'h' },
      scenarios: { type: 'boolean' },
      state: { type: 'string' },
      port: { type: 'string' },
      regions: { type: 'string' },
      'token-seconds': { type: 'string' },
      speed: { type: 'string' },
      pace: { type: 'string' },
      'role-delay': { type: 'string' },
      throttling: { type: 'string' },
      seed: { type: 'string' },
    },
  });
  if (values.help) return USAGE;
  if (values.scenarios) return JSON.stringify(listedScenarios());
  if (values.state === undefined || values.state === '') throw new RangeError('--state DIR is missing');
  const options: CloudOptions = { stateDirectory: values.state, log: (message) => console.error(message) };
  const given = {
    port: numberOf('port', values.port, { least: 1, most: 65_535, whole: true }),
    tokenSeconds: numberOf('token-seconds', values['token-seconds'], { least: 1, whole: true }),
    speed: numberOf('speed', values.speed),
    pace: numberOf('pace', values.pace),
    roleDelaySeconds: numberOf('role-delay', values['role-delay']),
    throttling: throttlingOf(values.throttling),
    seed: numberOf('seed', values.seed, { whole: true }),
    regions: values.regions === undefined ? undefined : requireRegions(values.regions.split(',')),
  };
  return Object.assign(options, Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)));
}

async function main(): Promise<void> {
  let options: CloudOptions | string;
  try {
    options = readOptions();
  } catch (error) {
    console.error(`${(error as Error).message} (see --help)`);
    process.exitCode = 2;
    return;
  }
  if (typeof options === 'string') {
    console.log(options);
    return;
  }
  const cloud = await startCloud(options).catch((error: unknown) => {
    if (error instanceof RangeError) process.exitCode = 2;
    throw error;
  });
  console.log(JSON.stringify(cloud.address));
  const stop = (): void => {
    cloud.close().then(
      () => process.exit(0),
      (error: unknown) => {
        console.error(error);
        process.exit(1);
      },
    );
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
}

main().catch((error: unknown) => {
  console.error((error as Error).message);
  process.exit(process.exitCode ?? 1);
});
