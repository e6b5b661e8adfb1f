/** Looks all the time whether both sides have a schedule enabled. */
import { setTimeout as delay } from 'node:timers/promises';
import type { AzureReader } from './azure-reader.ts';

export class ScheduleWatch {
  readonly #azure: AzureReader;
  readonly #workspaces: readonly [string, string];
  readonly #stopping = new AbortController();
  readonly #ended: Promise<void>;
  /** Times at which both sides had an enabled schedule. */
  readonly #both: string[] = [];

  /** `workspaces`: their ids. */
  constructor(azure: AzureReader, workspaces: readonly [string, string]) {
    this.#azure = azure;
    this.#workspaces = workspaces;
    this.#ended = this.#watch();
  }

  /** Forgets what it has seen. */
  reset(): void {
    this.#both.length = 0;
  }

  async #watch(): Promise<void> {
    while (!this.#stopping.signal.aborted) {
      // A dark region has nothing to show.
      const looks = this.#workspaces.map((id) => enabledSchedules(this.#azure, id).catch(() => []));
      const sides = await Promise.all(looks);
      if (sides.every((enabled) => enabled.length > 0)) this.#both.push(new Date().toISOString());
      await delay(100);
    }
  }

  /** Ends it. Returns what it has seen. */
  async stop(): Promise<readonly string[]> {
    this.#stopping.abort();
    await this.#ended;
    return this.#both;
  }
}

/** Names of those in a workspace. */
export async function enabledSchedules(azure: AzureReader, workspace: string): Promise<string[]> {
  const all = await azure.list(`${workspace}/schedules?listViewType=All`);
  return all.filter(({ properties }) => properties.isEnabled === true).map(({ name }) => name);
}
