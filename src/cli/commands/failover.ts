import type { Command } from 'commander';
import { readPointer } from '../../control-store/region-pointer.ts';
import { UnderstudyError } from '../../errors/error.ts';
import { checkHealth, requireOutage } from '../../operations/health.ts';
import { lookAtConfigs } from '../../operations/look-at-configs.ts';
import { planFailover, planningOf } from '../../operations/plan-operation.ts';
import type { Session } from '../../operations/session.ts';
import {
  attach,
  findOpen,
  refusedBy,
  startOperation,
  type StartedRun,
} from '../../operations/start-operation.ts';
import { sideOf } from '../../topology/sides.ts';
import { ask, askReason, requireWord } from '../ask.ts';
import { command, session, withTemporal } from '../command.ts';
import { seeThrough } from '../see-through.ts';
import { showConfigs } from '../show-configs.ts';
import { acceptLossOption, refusal, showPlan } from './plan.ts';

interface Options {
  to?: string;
  yes?: boolean;
  reason?: string;
  evenIfHealthy?: boolean;
  outageBegan?: string;
  recoveryPoint?: string;
  acceptLoss?: string[];
}

const noReason = 'no reason was given';

export function failoverCommand(): Command {
  return command(
    'failover',
    'move the workspace to the standby region, now; watches the run to its end',
    'understudy failover --reason "eastus is down"\nunderstudy failover --to westus3 --yes --reason "INC-4711" --outage-began 2026-11-21T02:58:00Z',
  )
    .option('--to <region>', 'the region to move to; obligatory with --yes, or where there is no terminal')
    .option('-y, --yes', 'do not ask')
    .option('--reason <text>', 'why; it stands in the report; obligatory with --accept-loss')
    .option(
      '--even-if-healthy',
      'go on although the active region is healthy, or nobody can tell whether it is',
    )
    .option(
      '--outage-began <time>',
      'when the outage began, ISO 8601; default: the first failed health check',
    )
    .option('--recovery-point <id>', 'restore this recovery point rather than the newest')
    .addOption(acceptLossOption())
    .action(async (options: Options, self: Command) => {
      const triggeredAt = new Date();
      checkTime(options.outageBegan, triggeredAt);
      requireTarget(options);
      requireReason(options);
      const opened = await session(self);
      if (options.to !== undefined) sideOf(opened.topology, options.to);
      await withTemporal(async (client) => {
        const running = await watchable(opened, client, options);
        if (running) console.log(`${running.runId} runs already: watching it; no second one is started`);
        if (!running && (await isThere(opened, options, triggeredAt))) return;
        const begin = running
          ? () => Promise.resolve(running)
          : await decide(opened, client, options, triggeredAt);
        await seeThrough(opened, begin);
      });
    });
}

/** The same command typed again must not move the workspace back: who is not asked names the region. */
function requireTarget({ to, yes }: Options): void {
  if (to !== undefined || (yes !== true && process.stdin.isTTY)) return;
  throw new UnderstudyError(
    'UsageError',
    yes === true
      ? '--yes: expected --to REGION with it, the region to move to'
      : 'nobody can be asked (no terminal): expected --to REGION, and --yes',
    { next: 'See which region is active with "understudy status".' },
  );
}

/** A loss that is accepted stands in the report with who accepted it, and why. On a terminal the reason is asked for. */
function requireReason({ acceptLoss, yes, reason = '' }: Options): void {
  if (!acceptLoss || reason.trim() !== '') return;
  if (yes !== true && process.stdin.isTTY) return;
  throw new UnderstudyError('UsageError', '--accept-loss: expected --reason "…" with it');
}

/** The open failover to the same region, if this Temporal executes it. FencedError where another run is open. */
async function watchable(
  opened: Session,
  client: Parameters<typeof startOperation>[1],
  { to }: Options,
): Promise<StartedRun | undefined> {
  const run = await findOpen(opened, 'failover');
  if (!run) return undefined;
  const running = await attach(opened, client, run.operation);
  const isSame = running?.runId === run.runId && run.operation === 'failover' && !run.cancelled;
  if (isSame && (to === undefined || to === run.to)) return running;
  throw refusedBy({ runId: run.runId, run });
}

/** The region to move to is the active one: there is nothing to do. */
async function isThere({ store, topology }: Session, { to }: Options, now: Date): Promise<boolean> {
  if (to === undefined) return false;
  const pointer = await readPointer(store, { topology, who: 'failover', now });
  if (pointer.writer !== to) return false;
  console.log(
    `${to} is the active region already (epoch ${pointer.epoch.number}): there is nothing to move, and nothing was changed`,
  );
  return true;
}

/** Everything that can refuse, and the person's word; returns what starts the run. */
async function decide(
  opened: Session,
  client: Parameters<typeof startOperation>[1],
  options: Options,
  triggeredAt: Date,
): Promise<() => Promise<StartedRun>> {
  const made = await planFailover(await planningOf(opened), options);
  if (made.problems.length > 0) throw refusal(made);
  // Shown and no more: a config file keeps nobody from moving.
  const [configs] = await Promise.all([
    lookAtConfigs(opened.topology, made.plan, () => Promise.resolve(client)),
    lookFirst(opened, made.plan.from, options),
  ]);
  console.log(`${[showPlan(made), ...showConfigs(configs)].join('\n')}\n`);
  const reason = await confirm(made.plan.from, made.plan.to, options);
  return async () => {
    const run = await startOperation(opened, client, {
      operation: made.plan.operation,
      plan: made.plan,
      trigger: {
        reason,
        triggeredAt,
        ...(options.outageBegan === undefined
          ? {}
          : { outageBeganAt: new Date(options.outageBegan).toISOString() }),
      },
    });
    if (!run.started) console.log(`${run.runId} was started first: watching it; no second one is started`);
    return run;
  };
}

async function lookFirst(opened: Session, region: string, options: Options): Promise<void> {
  const health = await checkHealth(opened, region);
  for (const { what, state, detail } of health.checks)
    console.log(`${region} ${what}: ${shown[state]}${detail}`);
  if (options.evenIfHealthy !== true) requireOutage(health);
}

const shown = { ok: 'ok: ', failed: 'FAILED: ', unknown: 'cannot tell: ' } as const;

async function confirm(from: string, to: string, options: Options): Promise<string> {
  const given = (options.reason ?? '').trim();
  if (options.yes === true) return given === '' ? noReason : given;
  return ask(async (terminal) => {
    const obligatory = options.acceptLoss !== undefined;
    const reason = given === '' ? await askReason(terminal, { obligatory }) : given;
    const question = `Fail over from ${from} to ${to}? Type the name of the region to move to: `;
    await requireWord(terminal, question, to);
    return reason === '' ? noReason : reason;
  });
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
