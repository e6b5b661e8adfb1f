import { createInterface } from 'node:readline/promises';
import type { Command } from 'commander';
import { UnderstudyError } from '../../errors/error.ts';
import { checkHealth, requireOutage } from '../../operations/health.ts';
import { planFailover } from '../../operations/plan-operation.ts';
import type { Session } from '../../operations/session.ts';
import {
  attach,
  refuseSecondRun,
  startOperation,
  type StartedRun,
} from '../../operations/start-operation.ts';
import { command, session, withTemporal } from '../command.ts';
import { seeThrough } from '../see-through.ts';
import { refusal, showPlan } from './plan.ts';

interface Options {
  yes?: boolean;
  reason?: string;
  evenIfHealthy?: boolean;
  outageBegan?: string;
  recoveryPoint?: string;
}

const noReason = 'no reason was given';

export function failoverCommand(): Command {
  return command(
    'failover',
    'move the workspace to the standby region, now; watches the run to its end',
    'understudy failover --reason "eastus is down"\nunderstudy failover --yes --reason "INC-4711" --outage-began 2026-11-21T02:58:00Z',
  )
    .option('-y, --yes', 'do not ask')
    .option('--reason <text>', 'why; it stands in the report')
    .option(
      '--even-if-healthy',
      'go on although the active region is healthy, or nobody can tell whether it is',
    )
    .option(
      '--outage-began <time>',
      'when the outage began, ISO 8601; default: the first failed health check',
    )
    .option('--recovery-point <id>', 'restore this recovery point rather than the newest')
    .action(async (options: Options, self: Command) => {
      const triggeredAt = new Date();
      checkTime(options.outageBegan, triggeredAt);
      const opened = await session(self);
      await withTemporal(async (client) => {
        const running = await attach(opened, client, 'failover');
        if (running) console.log(`${running.runId} runs already: watching it; no second one is started`);
        const begin = running
          ? () => Promise.resolve(running)
          : await decide(opened, client, options, triggeredAt);
        await seeThrough(opened, begin);
      });
    });
}

/** Everything that can refuse, and the person's word; answers what starts the run. */
async function decide(
  opened: Session,
  client: Parameters<typeof startOperation>[1],
  options: Options,
  triggeredAt: Date,
): Promise<() => Promise<StartedRun>> {
  await refuseSecondRun(opened, triggeredAt);
  const made = await planFailover(opened, options);
  if (made.problems.length > 0) throw refusal(made);
  await lookFirst(opened, made.plan.from, options);
  console.log(`${showPlan(made)}\n`);
  const reason = await confirm(made.plan.from, made.plan.to, options);
  return () =>
    startOperation(opened, client, made.plan, {
      reason,
      triggeredAt,
      ...(options.outageBegan === undefined
        ? {}
        : { outageBeganAt: new Date(options.outageBegan).toISOString() }),
    });
}

async function lookFirst(opened: Session, region: string, options: Options): Promise<void> {
  const health = await checkHealth(opened, region);
  for (const { what, state, detail } of health.checks)
    console.log(`${region} ${what}: ${shown[state]}${detail}`);
  if (options.evenIfHealthy !== true) requireOutage(health);
}

const shown = { ok: 'ok: ', failed: 'FAILED: ', unknown: 'cannot tell: ' } as const;

async function confirm(from: string, to: string, options: Options): Promise<string> {
  if (options.yes === true) return options.reason ?? noReason;
  if (!process.stdin.isTTY) {
    throw new UnderstudyError(
      'UsageError',
      'nobody can be asked (no terminal): say --yes to fail over without a question',
    );
  }
  const terminal = createInterface({ input: process.stdin, output: process.stdout });
  try {
    const reason = options.reason ?? (await terminal.question('Why? (stands in the report) '));
    const answer = await terminal.question(
      `Fail over from ${from} to ${to}? Type the name of the region to move to: `,
    );
    if (answer.trim() !== to) {
      throw new UnderstudyError(
        'Declined',
        `declined: expected "${to}", got "${answer.trim()}": nothing was changed`,
      );
    }
    return reason.trim() === '' ? noReason : reason;
  } catch (error) {
    if ((error as Error).name !== 'AbortError') throw error;
    console.log(); // the question's line is still open
    throw new UnderstudyError('Declined', 'declined: nothing was changed');
  } finally {
    terminal.close();
  }
}

const isoTime = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d)$/;

/** Without its zone a time means another one on every machine; one to come is a slip that would make an RTO negative. */
function checkTime(time: string | undefined, now: Date): void {
  if (time === undefined) return;
  if (!isoTime.test(time) || Number.isNaN(Date.parse(time))) {
    throw new UnderstudyError(
      'UsageError',
      `--outage-began: expected a time with its zone such as "2026-11-21T02:58:00Z", got "${time}"`,
    );
  }
  if (Date.parse(time) > now.getTime()) {
    throw new UnderstudyError(
      'UsageError',
      `--outage-began: expected a time that is past, got "${time}"; it is ${now.toISOString()} now`,
    );
  }
}
