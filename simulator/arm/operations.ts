/**
 * Long-running operations: they end by the cloud's clock, can be polled at `operationStatuses` and `operationResults`,
 * and survive a restart of the local Azure. What is done at the end is the business of whoever started them (`finish`).
 */

import { randomUUID } from 'node:crypto';
import { ArmError, type Clock, type Json, type JsonObject, type Principal } from '../contract/index.ts';
import type { Journal, Table } from '../state/journal.ts';
import { errorBody, type Answer } from '../http/answer.ts';

type OperationKind = 'put' | 'patch' | 'delete' | 'action';

/** All that is needed to end the operation after a restart. */
export interface OperationRecord {
  id: string;
  subscriptionId: string;
  namespace: string;
  location: string;
  kind: OperationKind;
  action?: string;
  resourceId: string;
  type: string;
  apiVersion: string;
  query: string;
  body: JsonObject;
  principal: Principal;
  created: boolean;
  startedAt: number;
  /** When it ends by the clock; null: when its work is done, however long that takes. */
  endsAt: number | null;
  status: 'InProgress' | 'Succeeded' | 'Failed' | 'Canceled';
  endedAt?: number;
  /** Set by fault injection: how it will fail. */
  failure?: { code: string; message: string };
  error?: JsonObject;
  result?: Json;
}

export type Finish = (record: OperationRecord) => Promise<Json | undefined>;

/** Ended operations are forgotten after this long on the clock, as Azure does after a day. */
const KEPT_MS = 24 * 3_600_000;
/** Of those, no more than this many: memory stays flat, however much is done in a day. */
const KEPT_ENDED = 10_000;
/** Real time until an end that could not be written down (the disk is full) is tried again. */
const RETRY_MS = 2000;

export class Operations {
  private readonly clock: Clock;
  private readonly table: Table<OperationRecord>;
  private readonly waiting = new Map<
    string,
    { promise: Promise<OperationRecord>; resolve: (record: OperationRecord) => void }
  >();
  private readonly byResource = new Map<string, string>();
  /** Ids of ended operations, in the order of their ends. */
  private readonly over = new Set<string>();
  private readonly armEndpoint: string;
  private readonly retryAfterSeconds: number;
  private readonly onError: (error: unknown) => void;
  private closed = false;

  constructor(
    journal: Journal,
    clock: Clock,
    armEndpoint: string,
    retryAfterSeconds: number,
    onError: (error: unknown) => void,
  ) {
    this.clock = clock;
    this.armEndpoint = armEndpoint;
    this.retryAfterSeconds = retryAfterSeconds;
    this.onError = onError;
    this.table = journal.table<OperationRecord>('operations');
  }

  /**
   * Takes up, after a restart, what was in progress; forgets what ended long ago. `finishOf` gives back what the
   * starter would.
   */
  async resume(finishOf: (record: OperationRecord) => Promise<Finish>): Promise<void> {
    for (const record of Array.from(this.table.values())) {
      if (record.status === 'InProgress') {
        this.track(record);
        this.arm(record, await finishOf(record));
      } else if (this.clock.now() - (record.endedAt ?? 0) > KEPT_MS) this.table.delete(record.id);
      else this.over.add(record.id);
    }
  }

  /** From here on nothing ends: what is in progress is taken up at the next start. */
  close(): void {
    this.closed = true;
  }

  start(fields: Omit<OperationRecord, 'id' | 'startedAt' | 'status'>, finish: Finish): OperationRecord {
    const record: OperationRecord = {
      ...fields,
      id: randomUUID(),
      startedAt: this.clock.now(),
      status: 'InProgress',
    };
    this.table.set(record.id, record);
    this.track(record);
    this.arm(record, finish);
    return record;
  }

  /** The operation that changes this resource now, if any. */
  inProgress(resourceId: string): OperationRecord | undefined {
    const id = this.byResource.get(resourceId.toLowerCase());
    return id === undefined ? undefined : this.table.get(id);
  }

  /** The record when it has ended. */
  async ended(record: OperationRecord): Promise<OperationRecord> {
    return this.waiting.get(record.id)?.promise ?? this.table.get(record.id) ?? record;
  }

  /** Ends an operation whose resource is gone (its resource group was deleted). */
  cancel(resourceId: string): void {
    const record = this.inProgress(resourceId);
    if (record)
      this.end(record, {
        status: 'Canceled',
        error: { code: 'OperationCanceled', message: 'The resource was deleted.' },
      });
  }

  /** The headers of the answer that accepts an operation. */
  headers(record: OperationRecord): Record<string, string> {
    const base = `${this.armEndpoint}/subscriptions/${record.subscriptionId}/providers/${record.namespace}/locations/${record.location}`;
    const query = `?api-version=${record.apiVersion}`;
    return {
      'Azure-AsyncOperation': `${base}/operationStatuses/${record.id}${query}`,
      Location: `${base}/operationResults/${record.id}${query}`,
      'Retry-After': String(this.retryAfterSeconds),
    };
  }

  /** GET operationStatuses/{id}. */
  status(id: string, path: string): Answer {
    const record = this.find(id);
    const body: JsonObject = {
      id: path,
      name: record.id,
      status: record.status,
      startTime: new Date(record.startedAt).toISOString(),
      percentComplete: this.percent(record),
    };
    if (record.endedAt !== undefined) body.endTime = new Date(record.endedAt).toISOString();
    if (record.error) body.error = record.error;
    if (record.kind === 'action' && record.result !== undefined) body.properties = record.result;
    const headers = record.status === 'InProgress' ? { 'Retry-After': String(this.retryAfterSeconds) } : {};
    return { status: 200, headers, body };
  }

  /** GET operationResults/{id}: 202 until it has ended, then what the operation gives. `show` reads the resource. */
  result(id: string, show: (resourceId: string) => Json | undefined): Answer {
    const record = this.find(id);
    if (record.status === 'InProgress') return { status: 202, headers: this.headers(record) };
    if (record.error) {
      const { code, message } = record.error;
      return {
        status: record.status === 'Canceled' ? 409 : 400,
        body: { error: { ...record.error, code: code ?? '', message: message ?? '' } },
      };
    }
    if (record.kind === 'delete') return { status: 204 };
    const body = record.kind === 'action' ? record.result : show(record.resourceId);
    return body === undefined ? { status: 204 } : { status: 200, body };
  }

  private find(id: string): OperationRecord {
    const record = this.table.get(id);
    const isForgotten = record?.endedAt !== undefined && this.clock.now() - record.endedAt > KEPT_MS;
    if (!record || isForgotten) throw new ArmError(404, 'OperationNotFound', `The operation '${id}' was not found.`);
    return record;
  }

  private forgetSome(): void {
    for (const id of this.over) {
      const endedAt = this.table.get(id)?.endedAt ?? 0;
      if (this.over.size <= KEPT_ENDED && this.clock.now() - endedAt <= KEPT_MS) return;
      this.over.delete(id);
      this.table.delete(id);
    }
  }

  private percent(record: OperationRecord): number {
    if (record.status !== 'InProgress') return 100;
    if (record.endsAt === null) return 50;
    const share = (this.clock.now() - record.startedAt) / Math.max(1, record.endsAt - record.startedAt);
    return Math.min(99, Math.max(0, Math.floor(share * 100)));
  }

  private track(record: OperationRecord): void {
    const { promise, resolve } = Promise.withResolvers<OperationRecord>();
    this.waiting.set(record.id, { promise, resolve });
    if (record.kind !== 'action') this.byResource.set(record.resourceId.toLowerCase(), record.id);
  }

  private arm(record: OperationRecord, finish: Finish): void {
    const run = (): void => {
      this.run(record, finish).catch((error: unknown) => {
        if (this.closed) return; // Taken up at the next start.
        this.onError(error);
        setTimeout(run, RETRY_MS).unref();
      });
    };
    if (record.endsAt === null) run();
    else this.clock.after(record.endsAt - this.clock.now(), run);
  }

  private async run(record: OperationRecord, finish: Finish): Promise<void> {
    if (this.table.get(record.id)?.status !== 'InProgress') return;
    try {
      const result = await finish(record);
      this.end(record, result === undefined ? { status: 'Succeeded' } : { status: 'Succeeded', result });
    } catch (error) {
      const arm = error instanceof ArmError ? error : new ArmError(500, 'InternalServerError', String(error));
      const status = arm.code === 'DeploymentCanceled' || arm.code === 'OperationCanceled' ? 'Canceled' : 'Failed';
      this.end(record, { status, error: errorBody(arm).error as JsonObject });
    }
  }

  private end(record: OperationRecord, outcome: Pick<OperationRecord, 'status' | 'error' | 'result'>): void {
    if (this.closed) return;
    const ended = { ...(this.table.get(record.id) ?? record), ...outcome, endedAt: this.clock.now() };
    this.table.set(record.id, ended);
    this.over.add(record.id);
    this.forgetSome();
    const key = record.resourceId.toLowerCase();
    if (this.byResource.get(key) === record.id) this.byResource.delete(key);
    this.waiting.get(record.id)?.resolve(ended);
    this.waiting.delete(record.id);
  }
}
