/** Pacing, by a clock that stands still until it is moved. */
import {
  createHttpHeaders,
  createPipelineRequest,
  type HttpMethods,
  type PipelineResponse,
} from '@azure/core-rest-pipeline';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { pacePolicy, setPacing } from '../../src/azure/http/pace.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

/** Answers how many requests have gone through so far. */
function paced() {
  const policy = pacePolicy(() => Date.now());
  const counter = { gone: 0 };
  const send = (
    method: HttpMethods,
    subscription = 's',
    abortSignal?: AbortSignal,
    manners: Parameters<typeof setPacing>[1] = {},
  ): Promise<PipelineResponse> => {
    const request = createPipelineRequest({
      url: `https://arm/subscriptions/${subscription}/x`,
      method,
      ...(abortSignal ? { abortSignal } : {}),
    });
    setPacing(request, manners);
    return policy.sendRequest(request, (sent) => {
      counter.gone++;
      return Promise.resolve({ request: sent, status: 200, headers: createHttpHeaders() });
    });
  };
  return { counter, send };
}

describe('requests', () => {
  it('go at once while the bucket lasts, then at just below the rate of Azure', async () => {
    const { counter, send } = paced();
    const all = Array.from({ length: 190 + 95 }, () => send('PUT'));
    await vi.advanceTimersByTimeAsync(0);
    expect(counter.gone).toBe(190);
    await vi.advanceTimersByTimeAsync(5000);
    expect(counter.gone).toBeGreaterThanOrEqual(190 + 47);
    expect(counter.gone).toBeLessThanOrEqual(190 + 48);
    await vi.advanceTimersByTimeAsync(5100);
    expect(counter.gone).toBe(190 + 95);
    await Promise.all(all);
  });

  it('fill the bucket again while there are none', async () => {
    const { counter, send } = paced();
    for (let i = 0; i < 190; i++) void send('PUT');
    await vi.advanceTimersByTimeAsync(10_000);
    for (let i = 0; i < 95; i++) void send('PUT');
    await vi.advanceTimersByTimeAsync(0);
    expect(counter.gone).toBe(190 + 95);
    void send('PUT');
    await vi.advanceTimersByTimeAsync(0);
    expect(counter.gone).toBe(190 + 95);
    await vi.advanceTimersByTimeAsync(110);
    expect(counter.gone).toBe(190 + 96);
  });

  it('that read, write and delete, and each subscription, have buckets of their own', async () => {
    const { counter, send } = paced();
    for (let i = 0; i < 190; i++) void send('PUT');
    await vi.advanceTimersByTimeAsync(0);
    for (const request of [send('GET'), send('HEAD'), send('DELETE'), send('PUT', 'other')]) await request;
    expect(counter.gone).toBe(194);
    void send('PATCH');
    void send('POST');
    await vi.advanceTimersByTimeAsync(0);
    expect(counter.gone).toBe(194);
    await vi.advanceTimersByTimeAsync(300);
    expect(counter.gone).toBe(196);
  });

  it('that wait can be cancelled, and are not sent then', async () => {
    const { counter, send } = paced();
    for (let i = 0; i < 190; i++) void send('PUT');
    const controller = new AbortController();
    const waiting = expect(send('PUT', 's', controller.signal)).rejects.toMatchObject({ name: 'AbortError' });
    controller.abort();
    await waiting;
    await vi.advanceTimersByTimeAsync(10_000);
    expect(counter.gone).toBe(190);
  });

  it('that are patient leave room for those that are not, and are all sent at just below the rate of Azure', async () => {
    const { counter, send } = paced();
    let sent = 0;
    for (let i = 0; i < 400; i++) void send('POST', 's', undefined, { patient: true, onSent: () => void (sent += 1) });
    await vi.advanceTimersByTimeAsync(10_000);
    expect(sent).toBeLessThan(190 + 95 - 40);
    for (let i = 0; i < 40; i++) void send('PUT');
    await vi.advanceTimersByTimeAsync(0);
    expect(counter.gone).toBe(sent + 40);
    await vi.advanceTimersByTimeAsync(40_000);
    expect(sent).toBe(400);
  });

  it('that are patient have a share of their own while others take all there is', async () => {
    const { send } = paced();
    let sent = 0;
    for (let i = 0; i < 2000; i++) void send('PUT');
    for (let i = 0; i < 50; i++) void send('POST', 's', undefined, { patient: true, onSent: () => void (sent += 1) });
    await vi.advanceTimersByTimeAsync(240_000);
    expect(sent).toBeGreaterThan(0);
  });
});
