/** What a person can do at a gate of a run: approve, or decline. */
import { Option, type Command } from 'commander';
import { UnderstudyError } from '../../errors/error.ts';
import { GateOutcome } from '../../operations/documents/run.ts';
import { decideGate } from '../../operations/runs/decide-gate.ts';
import { command, session, tryTemporal } from '../command.ts';
import { shows } from '../output.ts';

/** `understudy approve` and `understudy decline`: with or without Temporal. */
export function decideCommands(): Command[] {
  return [
    decideCommand('approve', 'approve at a gate: the run continues once enough people have approved', true),
    decideCommand('decline', 'decline at a gate: the run fails there, and can be cancelled or retried', false),
  ];
}

interface Options {
  gate?: string;
  reason: string;
}

function decideCommand(name: string, description: string, approve: boolean): Command {
  const of = command(
    name,
    description,
    `understudy ${name} --reason "INC-4711: seen and agreed"\n` +
      `understudy ${name} 20261121T030000Z-failover-3f9a --gate before-switch --reason "INC-4711"`,
  )
    .argument('[run]', 'the run’s id; default: the open move')
    .addOption(new Option('--gate <name>', 'the gate; default: the one that asks'))
    .requiredOption('--reason <text>', 'why; recorded in the report');
  return shows(of, GateOutcome, async (_output, runId: string | undefined, options: Options, self: Command) => {
    if (options.reason.trim() === '') throw new UnderstudyError('UsageError', '--reason: expected why, got nothing');
    const opened = await session(self);
    const client = await tryTemporal('The decision is recorded in the journal; the run finds it there.');
    try {
      const { gate, ...decided } = await decideGate(opened, client, { runId, approve, ...options });
      return {
        document: { gate, ...decided },
        text: `${decided.runId}: ${decided.stands} (${approve ? 'approved' : 'declined'} by ${decided.decision.by}, as claimed)`,
      };
    } finally {
      await client?.connection.close();
    }
  });
}
