/**
 * Runs a benchmark by its name: `npm run bench -- NAME [options]`; without a name, lists them. Exit codes: 0 measured,
 * 1 failed, 2 bad usage.
 */
import { parseArgs, type ParseArgsConfig } from 'node:util';
import type { Benchmark } from './benchmark.ts';

type Options = NonNullable<ParseArgsConfig['options']>;

const names = ['copy', 'jobs', 'move', 'memory', 'history', 'soak', 'simulator'] as const;
type Name = (typeof names)[number];

async function load(name: Name): Promise<Benchmark> {
  switch (name) {
    case 'copy':
      return (await import('./copy/benchmark.ts')).benchmark;
    case 'jobs':
      return (await import('./jobs/benchmark.ts')).benchmark;
    case 'move':
      return (await import('./move/benchmark.ts')).benchmark;
    case 'memory':
      return (await import('./memory/benchmark.ts')).benchmark;
    case 'history':
      return (await import('./history/benchmark.ts')).benchmark;
    case 'soak':
      return (await import('./soak/benchmark.ts')).benchmark;
    case 'simulator':
      return (await import('./simulator/benchmark.ts')).benchmark;
  }
}

async function usage(): Promise<string> {
  const lines = ['usage: npm run bench -- NAME [options]'];
  for (const name of names) {
    const { summary, options } = await load(name);
    lines.push('', `  ${name}: ${summary}`);
    for (const [option, { default: value, help }] of Object.entries(options))
      lines.push(`      --${option.padEnd(12)} ${help} (default: ${value === '' ? 'none' : value})`);
  }
  return lines.join('\n');
}

/** Throws a TypeError for an option that the benchmark does not have. */
function parse(options: Benchmark['options'], args: string[]): Record<string, string> {
  const known = Object.fromEntries(
    Object.entries(options).map(([name, option]) => [name, { type: 'string', default: option.default }]),
  ) as Options;
  return parseArgs({ args, options: known, allowPositionals: false }).values as Record<string, string>;
}

async function main([name, ...rest]: string[]): Promise<number> {
  if (!names.includes(name as Name)) {
    console.error(name === undefined ? await usage() : `no benchmark "${name}"\n${await usage()}`);
    return 2;
  }
  const benchmark = await load(name as Name);
  let values: Record<string, string>;
  try {
    values = parse(benchmark.options, rest);
  } catch (error) {
    console.error(`${(error as Error).message}\n${await usage()}`);
    return 2;
  }
  await benchmark.run(values);
  return 0;
}

process.exitCode = await main(process.argv.slice(2)).catch((error: unknown) => {
  console.error(error);
  return 1;
});
