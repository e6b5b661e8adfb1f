/**
 * The local Azure as a program: `node simulator/main.ts --state DIR [--port N]`. Prints one JSON line on stdout when it is ready (the same as
 * DIR/cloud.json), logs on stderr, and stops cleanly on SIGTERM and SIGINT. Exit codes: 0 stopped, 1 failed, 2 bad usage.
 */

import { parseArgs } from 'node:util';
import { startCloud, type CloudOptions } from './cloud.ts';

const USAGE = `usage: node simulator/main.ts --state DIR [options]
  --state DIR           where everything is kept; made if it is not there
  --port N              port of the ARM endpoint on the first start (default: a free one)
  --regions a,b,c       (default: eastus,westus3,centralus)
  --token-seconds N     how long bearer tokens live (default: 300)
  --speed N             clock seconds per real second on the first start; 0: stands still (default: 1)
  --pace N              multiplies the time of long-running operations (default: 1)
  --role-delay N        clock seconds until a change of role assignments takes effect (default: 5)
  --throttling azure|off  Resource Manager's limits for a principal (default: azure)
  --seed N              seed of the injected faults (default: 1)`;

function numberOf(name: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const value = Number(text);
  if (text.trim() === '' || !Number.isFinite(value) || value < 0)
    throw new RangeError(`--${name}: expected a number from 0 on, got "${text}"`);
  return value;
}

function throttlingOf(text: string | undefined): 'azure' | 'off' | undefined {
  if (text === undefined || text === 'azure' || text === 'off') return text;
  throw new RangeError(`--throttling: expected azure or off, got "${text}"`);
}

function readOptions(): CloudOptions {
  const { values } = parseArgs({
    options: {
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
  if (values.state === undefined) throw new RangeError('--state DIR is missing');
  const options: CloudOptions = { stateDirectory: values.state, log: (message) => console.error(message) };
  const given = {
    port: numberOf('port', values.port),
    tokenSeconds: numberOf('token-seconds', values['token-seconds']),
    speed: numberOf('speed', values.speed),
    pace: numberOf('pace', values.pace),
    roleDelaySeconds: numberOf('role-delay', values['role-delay']),
    throttling: throttlingOf(values.throttling),
    seed: numberOf('seed', values.seed),
    regions: values.regions?.split(','),
  };
  return Object.assign(
    options,
    Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)),
  );
}

async function main(): Promise<void> {
  let options: CloudOptions;
  try {
    options = readOptions();
  } catch (error) {
    console.error(`${(error as Error).message}\n${USAGE}`);
    process.exitCode = 2;
    return;
  }
  const cloud = await startCloud(options);
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
  process.exit(1);
});
