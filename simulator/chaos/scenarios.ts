/** Every scenario there is, by name. To add one, add it here: `chaos list`, the admin API and tests know it then. */

import type { Disturbance } from '../faults/faults.ts';
import type { Part } from '../faults/parts.ts';
import { quotaOf, setQuota } from '../machinelearning/computes/quota.ts';
import { FAMILIES, offeredSizes, setSizeOffered } from '../machinelearning/computes/sizes.ts';
import { choice, count, duration, factor, perSecond, share, text } from './parameters.ts';
import { scenario, type Scenario } from './scenario.ts';

/** How a part that is out behaves. */
const mode = choice(
  ['dark', 'hang', 'read-only'],
  'dark: connections are refused or cut; hang: nothing is answered; read-only: writes are refused, with a reason',
);
const status = choice(['503', '409'], 'HTTP status of refused writes, where the mode is read-only');

function partOut(name: string, what: string, parts: Part[]): Scenario {
  return scenario({
    name,
    summary: `only ${what} of the region is out; all else of it answers`,
    scope: 'region',
    parameters: { mode, status },
    disturb: (values) => ({ outage: { mode: values.mode, parts, status: Number(values.status) } }),
  });
}

const OUTAGES = [
  scenario({
    name: 'region-lost',
    summary: 'the whole region is dark, its storage too',
    scope: 'region',
    parameters: {
      jobs: choice(['unseen', 'killed'], 'what runs there goes on and nobody sees it, or is killed with its computes'),
    },
    disturb: ({ jobs }) => ({ outage: { mode: 'dark', jobs } }),
  }),
  scenario({
    name: 'region-hangs',
    summary: 'the whole region takes connections and never answers',
    scope: 'region',
    parameters: {},
    disturb: () => ({ outage: { mode: 'hang' } }),
  }),
  scenario({
    name: 'region-read-only',
    summary: 'reads are served; whatever would change something is refused, and says that it is for a regional outage',
    scope: 'region',
    parameters: { status },
    disturb: (values) => ({ outage: { mode: 'read-only', status: Number(values.status) } }),
  }),
  scenario({
    name: 'region-flapping',
    summary: 'the whole region is out and comes back, again and again',
    scope: 'region',
    parameters: {
      period: duration('60s', 'from one outage to the next'),
      duty: share('0.5', 'share of each period that the region is out'),
      mode,
      status,
    },
    disturb: (values) => ({ outage: { mode: values.mode, status: Number(values.status) } }),
    rhythm: ({ period, duty }) => ({ periodMs: period, duty }),
  }),
  partOut('storage-only', 'storage (blobs, and the management of accounts)', ['storage', 'blob']),
  partOut('control-plane-only', 'management (Resource Manager)', ['arm']),
  partOut('ml-only', 'Azure Machine Learning (management, scoring, run history)', ['ml']),
  partOut('keyvault-only', 'Key Vault (management and secrets)', ['keyvault']),
  scenario({
    name: 'half-recovered',
    summary: 'Resource Manager answers again, slowly; blobs still hang',
    scope: 'region',
    parameters: { latency: duration('1s', 'added to every answer') },
    disturb: ({ latency }) => ({ outage: { mode: 'hang', parts: ['blob'] }, latencyMs: latency }),
  }),
];

const TROUBLE = [
  scenario({
    name: 'brownout',
    summary: 'the region answers slowly, errs, and throttles',
    scope: 'region',
    parameters: {
      latency: duration('500ms', 'added to every answer'),
      jitter: duration('1s', 'up to this much more'),
      errors: share('0.1', 'share of requests that fail'),
      status: choice(['503', '500', '502', '504'], 'HTTP status of those'),
      rate: perSecond('10', 'requests a second that the region takes'),
      burst: count('20', 'requests that it takes at once'),
    },
    disturb: ({ latency, jitter, errors, status: failed, rate, burst }) => ({
      latencyMs: latency,
      jitterMs: jitter,
      errorRate: errors,
      status: Number(failed),
      throttle: { perSecond: rate, burst },
    }),
  }),
  scenario({
    name: 'slow',
    summary: 'the region answers slowly',
    scope: 'region',
    parameters: {
      latency: duration('500ms', 'added to every answer'),
      jitter: duration('500ms', 'up to this much more'),
    },
    disturb: ({ latency, jitter }) => ({ latencyMs: latency, jitterMs: jitter }),
  }),
  scenario({
    name: 'errors',
    summary: 'a share of requests fails',
    scope: 'region',
    parameters: {
      rate: share('0.2', 'share of requests that fail'),
      status: choice(['500', '502', '503', '504', '408'], 'HTTP status of those'),
    },
    disturb: ({ rate, status: failed }) => ({ errorRate: rate, status: Number(failed) }),
  }),
  scenario({
    name: 'lost-answers',
    summary: 'a share of requests is carried out, and the connection then breaks',
    scope: 'region',
    parameters: { rate: share('0.1', 'share of requests whose answer is lost') },
    disturb: ({ rate }) => ({ lostAnswerRate: rate }),
  }),
  scenario({
    name: 'throttled',
    summary: "the region's services answer 429 TooManyRequests with Retry-After above a rate; blobs 503 ServerBusy",
    scope: 'region',
    parameters: {
      rate: perSecond('2', 'requests a second that the region takes'),
      burst: count('5', 'requests that it takes at once'),
    },
    disturb: ({ rate, burst }) => ({ throttle: { perSecond: rate, burst } }),
  }),
  scenario({
    name: 'subscription-throttled',
    summary:
      "somebody else uses up the principal's limits: Resource Manager answers 429 SubscriptionRequestsThrottled early",
    scope: 'cloud',
    parameters: {
      left: share('0.1', "share that is left of Azure's limits (250 reads, 200 writes, 200 deletes at once)"),
    },
    disturb: ({ left }) => ({ armLimitShare: left }),
  }),
  scenario({
    name: 'failing-operations',
    summary: 'a share of long-running operations fails half-way',
    scope: 'region',
    parameters: {
      rate: share('0.5', 'share of operations that fail'),
      after: share('0.5', 'share of their time after which they fail'),
      type: text('', "only operations on this resource type, as 'Microsoft.MachineLearningServices/workspaces'"),
      code: text('InternalServerError', 'code of their error'),
    },
    disturb: ({ rate, after, type, code }) => ({
      failOperations: { rate, after, code, ...(type === '' ? {} : { type }) },
    }),
  }),
  scenario({
    name: 'slow-operations',
    summary: 'long-running operations take longer',
    scope: 'region',
    parameters: { factor: factor('10', 'multiplies their time') },
    disturb: (values) => ({ operationFactor: values.factor }),
  }),
];

const STALE = [
  scenario({
    name: 'stale-lists',
    summary: 'lists miss what is new and show what is gone, for a while; a GET by id is up to date',
    scope: 'region',
    parameters: {
      appear: duration('10s', 'until a new resource is in lists'),
      vanish: duration('10s', 'until a removed resource is in none'),
      spread: share('0.5', 'how much the times of resources differ: by up to this share of them'),
    },
    disturb: ({ appear, vanish, spread }): Disturbance => ({
      listLag: { appearMs: appear, vanishMs: vanish, spread },
    }),
  }),
  scenario({
    name: 'stale-secondary',
    summary: "readable secondaries of the region's storage accounts lag behind, and lastSyncTime says so",
    scope: 'region',
    parameters: { lag: duration('15m', 'how far behind they are') },
    disturb: ({ lag }) => ({ secondaryLagMs: lag }),
  }),
];

const LIMITS = [
  scenario({
    name: 'quota-cut',
    summary: 'there are fewer cores than there were: clusters and deployments get QuotaExceeded',
    scope: 'region',
    parameters: {
      cores: count('0', 'cores that are left of each family'),
      family: text('', "only this family of sizes, as 'standardDSv3Family'"),
    },
    change({ cloud }, region, { cores, family }) {
      const before = Object.fromEntries(FAMILIES.map((each) => [each, quotaOf(cloud, region, each)]));
      for (const each of family === '' ? FAMILIES : [family]) setQuota(cloud, region, each, cores);
      return before;
    },
    restore({ cloud }, region, before) {
      for (const [family, cores] of Object.entries(before)) setQuota(cloud, region, family, Number(cores));
    },
  }),
  scenario({
    name: 'sku-withdrawn',
    summary: 'the region does not offer a size of machines any longer: SkuNotAvailable',
    scope: 'region',
    parameters: { size: text('Standard_DS3_v2', 'the size') },
    change({ cloud }, region, { size }) {
      const known = offeredSizes(cloud, region).find(({ name }) => name.toLowerCase() === size.toLowerCase());
      setSizeOffered(cloud, region, size, false);
      return known ? { size: known.name } : {};
    },
    restore({ cloud }, region, { size }) {
      if (typeof size === 'string') setSizeOffered(cloud, region, size, true);
    },
  }),
  scenario({
    name: 'expiring-tokens',
    summary: 'tokens that are issued from now on live for a moment only: 401 ExpiredAuthenticationToken',
    scope: 'cloud',
    parameters: { lifetime: duration('5s', 'how long they live, in whole seconds') },
    change({ tokens }, _region, { lifetime }) {
      const before = tokens.lifetimeSeconds;
      tokens.lifetimeSeconds = Math.max(1, Math.round(lifetime / 1000));
      return { lifetimeSeconds: before };
    },
    changeAgain({ tokens }, { lifetime }) {
      tokens.lifetimeSeconds = Math.max(1, Math.round(lifetime / 1000));
    },
    restore({ tokens }, _region, { lifetimeSeconds }) {
      tokens.lifetimeSeconds = Number(lifetimeSeconds);
    },
  }),
];

export const SCENARIOS: readonly Scenario[] = [...OUTAGES, ...TROUBLE, ...STALE, ...LIMITS];
