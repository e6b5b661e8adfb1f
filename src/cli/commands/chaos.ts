/** Failures of the embedded local Azure, by name: to see what an operation does when a region fails. */
import { InvalidArgumentError, Option, type Command } from 'commander';
import { z } from 'zod';
import { UnderstudyError } from '../../errors/error.ts';
import { listScenarios, openChaos, Running, Scenario } from '../../stack/chaos.ts';
import { defaultFolder } from '../../stack/stack.ts';
import { command } from '../command.ts';
import { shows } from '../output.ts';

interface Shared {
  folder: string;
}

/** `understudy chaos`, with its subcommands. */
export function chaosCommand(): Command {
  const chaos = command(
    'chaos',
    'inject failures into the local Azure, by scenario; a seed makes them repeatable',
    'understudy chaos list\nunderstudy chaos start region-lost --region eastus\nunderstudy chaos stop',
  );
  for (const each of [listCommand(), startCommand(), statusCommand(), stopCommand()]) chaos.addCommand(each);
  return chaos;
}

/**
 * `anyStack`: the command says the same of every stack, up or not. It accepts the folder option as the other commands
 * do, and ignores it.
 */
function withFolder(of: Command, anyStack = false): Command {
  return of.addOption(
    new Option('--folder <folder>', "folder of the stack's state").default(defaultFolder).hideHelp(anyStack),
  );
}

function listCommand(): Command {
  const list = command('list', 'list the scenarios and their parameters', 'understudy chaos list --output json');
  return shows(withFolder(list, true), z.array(Scenario), async () => {
    const scenarios = await listScenarios();
    return { document: scenarios, text: scenarios.map(describe).join('\n') };
  });
}

function startCommand(): Command {
  const start = command(
    'start',
    'start a scenario, with the parameters that "chaos list" shows',
    'understudy chaos start region-lost --region eastus\n' +
      'understudy chaos start region-flapping --region eastus --period 30s --duty 50% --for 5m\n' +
      'understudy chaos start brownout --region eastus --errors 20% --seed 7',
  )
    .argument('<name>', 'the scenario’s name')
    .argument('[parameters...]', 'parameters of the scenario: --name value')
    .option('--region <region>', 'the region to affect')
    .option('--seed <number>', 'reproduces the same failures', wholeNumber)
    .option('--for <duration>', 'how long: 500ms, 60s, 15m, 1h (default: until it is stopped)')
    .allowUnknownOption();
  type Options = Shared & { region?: string; seed?: number; for?: string };
  return shows(withFolder(start), Running, async (_output, name: string, parameters: string[], options: Options) => {
    const { folder, region, seed, for: lasting } = options;
    const chaos = await openChaos(folder);
    const how = { region, seed, for: lasting, parameters: readParameters(parameters) };
    const running = await chaos.start(name, how);
    const end = `End it: understudy chaos stop ${running.name}${at(folder)}`;
    return { document: running, text: `${show(running)}\n${end}` };
  });
}

/** The option, if the stack is not in the default folder. */
function at(folder: string): string {
  return folder === defaultFolder ? '' : ` --folder ${folder}`;
}

function statusCommand(): Command {
  const status = command('status', 'list the running scenarios', 'understudy chaos status');
  return shows(withFolder(status), z.array(Running), async (_output, { folder }: Shared) => {
    const running = await (await openChaos(folder)).running();
    const text = running.length === 0 ? 'no scenario runs' : running.map(show).join('\n');
    return { document: running, text };
  });
}

function stopCommand(): Command {
  const stop = command(
    'stop',
    'stop a scenario, or all of them',
    'understudy chaos stop\nunderstudy chaos stop brownout --region eastus',
  )
    .argument('[name]', 'the scenario’s name (default: all)')
    .option('--region <region>', 'only in this region');
  type Options = Shared & { region?: string };
  return shows(
    withFolder(stop),
    z.array(Running),
    async (_output, name: string | undefined, { folder, region }: Options) => {
      const stopped = await (await openChaos(folder)).stop(name, region);
      const lines = stopped.map((one) => `stopped: ${nameOf(one)}`);
      return { document: stopped, text: lines.length === 0 ? 'no scenario ran' : lines.join('\n') };
    },
  );
}

function describe({ name, summary, scope, parameters }: Scenario): string {
  const where = scope === 'cloud' ? ' (the cloud as a whole: no --region)' : '';
  const rows = parameters.map((one) => {
    const standard = one.default === '' ? 'any' : one.default;
    const options = one.options ? `: ${one.options.join(', ')}` : '';
    return `    ${`--${one.name} ${standard}`.padEnd(26)} ${one.about}${one.about.includes(':') ? '' : options}`;
  });
  return [`${name}${where}`, `    ${summary}`, ...rows].join('\n');
}

function nameOf({ name, region }: Running): string {
  return region === null ? name : `${name} in ${region}`;
}

function show(running: Running): string {
  const parameters = Object.entries(running.parameters)
    .filter(([, value]) => value !== '')
    .map(([name, value]) => `--${name} ${value}`);
  const until = running.endsAt === null ? 'until it is stopped' : `until ${running.endsAt}`;
  return `${nameOf(running)}: since ${running.startedAt}, ${until}; ${[...parameters, `--seed ${running.seed}`].join(' ')}`;
}

/** Parses `--name value` and `--name=value`: parameters that the command line itself does not know. */
function readParameters(words: string[]): Record<string, string> {
  const parameters: Record<string, string> = {};
  for (let i = 0; i < words.length; i += 1) {
    const word = words[i] ?? '';
    const [, name, attached] = /^--([a-z][a-z-]*)(?:=(.*))?$/i.exec(word) ?? [];
    const value = attached ?? words[i + 1];
    if (name === undefined || value === undefined || (attached === undefined && value.startsWith('--')))
      throw new UnderstudyError(
        'UsageError',
        name === undefined
          ? `expected a parameter as in --period 30s, got "${word}"`
          : `parameter --${name}: expected a value`,
        { next: 'See the scenario’s parameters: understudy chaos list.' },
      );
    if (attached === undefined) i += 1;
    parameters[name] = value;
  }
  return parameters;
}

function wholeNumber(text: string): number {
  if (!/^\d+$/.test(text)) throw new InvalidArgumentError('Expected a whole number from 0 on.');
  return Number(text);
}
