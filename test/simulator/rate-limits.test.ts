import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { RateLimits } from '../../simulator/arm/rate-limits.ts';
import { TestCloud } from './running-cloud.ts';

const API = 'api-version=2024-03-01';
const principal = (objectId: string) => ({ objectId, clientId: objectId, tenantId: 't' });
const path = '/subscriptions/s/resourceGroups/g';

describe('the limits of Resource Manager', () => {
  // No token comes back while the test runs.
  beforeEach(() => void vi.useFakeTimers({ toFake: ['Date'] }));
  afterEach(() => void vi.useRealTimers());
  const limits = (more: Partial<ConstructorParameters<typeof RateLimits>[0]> = {}) =>
    new RateLimits({
      pace: 1,
      enforced: true,
      share: () => undefined,
      isSubscription: (id) => id === 's',
      ...more,
    });
  const untilRefused = (of: RateLimits, method: string, who = 'a', where = path): number => {
    for (let taken = 0; ; taken += 1) {
      try {
        of.take({ method, path: where, principal: principal(who) });
      } catch {
        return taken;
      }
      if (taken > 1000) return Infinity;
    }
  };

  it('are Azure’s, for each principal, subscription and kind by itself', () => {
    const ours = limits();
    expect(ours.take({ method: 'GET', path, principal: principal('a') })).toEqual({
      'x-ms-ratelimit-remaining-subscription-reads': '249',
      'x-ms-ratelimit-remaining-subscription-global-reads': '3749',
    });
    expect(untilRefused(ours, 'PUT')).toBe(200);
    expect(untilRefused(ours, 'DELETE')).toBe(200);
    expect(untilRefused(ours, 'GET')).toBe(249);
    expect(untilRefused(ours, 'PUT', 'b')).toBe(200);
    expect(untilRefused(ours, 'PUT', 'a', '/tenants')).toBe(200);
    expect(untilRefused(ours, 'PUT', 'a', '/subscriptions/made-up/x')).toBe(0); // counts for the tenant, too
  });

  it('come back with time', () => {
    const ours = limits();
    untilRefused(ours, 'PUT');
    vi.advanceTimersByTime(1500);
    expect(untilRefused(ours, 'PUT')).toBe(15);
  });

  it('may be off, but for what a scenario leaves of them; and refill as fast as everything goes', () => {
    expect(limits({ enforced: false }).take({ method: 'PUT', path, principal: principal('a') })).toEqual({});
    expect(untilRefused(limits({ enforced: false, share: () => 0.05 }), 'PUT')).toBe(10);
    expect(untilRefused(limits({ pace: 0 }), 'PUT')).toBe(Infinity);
  });

  it('are, after a scenario, as if there had been none', () => {
    let share: number | undefined;
    const ours = limits({ share: () => share });
    const left = (): string | undefined =>
      ours.take({ method: 'GET', path, principal: principal('a') })['x-ms-ratelimit-remaining-subscription-reads'];
    expect(left()).toBe('249');
    share = 0.02;
    expect(left()).toBe('4');
    expect(untilRefused(ours, 'GET')).toBe(4);
    share = undefined;
    expect(left()).toBe('243');
    share = 0.02;
    expect(left()).toBe('4');
    share = undefined;
    expect(untilRefused(ours, 'GET')).toBe(242);
    share = 0.02;
    expect(untilRefused(ours, 'GET')).toBe(0); // What is used up stays used up.
  });
});

describe('over HTTPS', () => {
  let cloud: TestCloud;
  beforeAll(async () => {
    cloud = await TestCloud.start({ regions: ['eastus'], pace: 1, throttling: 'off' });
  }, 30_000);
  afterAll(() => cloud.stop());

  it('a request too many gets 429 with Retry-After, and others their remaining number', async () => {
    const url = `${cloud.subscription}/resourceGroups?${API}`;
    expect((await cloud.arm(url)).headers).not.toHaveProperty('x-ms-ratelimit-remaining-subscription-reads');
    await cloud.admin('POST', '/chaos/subscription-throttled', { parameters: { left: '1%' } });
    const answers = [];
    for (let i = 0; i < 3; i += 1) answers.push(await cloud.arm(url));
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 429]);
    expect(answers.map(({ headers }) => headers['x-ms-ratelimit-remaining-subscription-reads'])).toEqual([
      '1',
      '0',
      '0',
    ]);
    expect(Number(answers[2]?.headers['retry-after'])).toBeGreaterThanOrEqual(1);
    expect(answers[2]?.json.error).toMatchObject({ code: 'SubscriptionRequestsThrottled' });
    const refused = await cloud.arm(`${cloud.subscription}/resourceGroups/none?${API}`, { method: 'DELETE' });
    expect([refused.status, refused.headers['x-ms-ratelimit-remaining-subscription-deletes']]).toEqual([404, '1']);
    await cloud.admin('DELETE', '/chaos');
    for (let i = 0; i < 3; i += 1) expect((await cloud.arm(url)).status).toBe(200);
  });
});
