/** What bounds an activity never contradicts what the activity itself waits for. */
import { describe, expect, it } from 'vitest';
import { compileFailover, compileReplicate } from '../../src/plan/compile.ts';
import { timeLimitsOf } from '../../src/plan/time-limits.ts';
import { toSeconds } from '../../src/topology/duration.ts';
import { compileInput, recoveryPoint } from './inputs.ts';
import { topologyOf } from '../topology/minimal.ts';

const policiesOf = (more: string) => topologyOf(`policies: { ${more} }`).policies;
const hour = 3600;

describe('the time limits of a step', () => {
  it.each([
    ['probePublicAddress', 'probeDeadline', '10m'],
    ['scoreEndpoints', 'probeDeadline', '3h'],
    ['scaleDeployments', 'provisionDeadline', '4h'],
    ['deployTemplate', 'provisionDeadline', '2d'],
    ['runSmokeJob', 'smokeDeadline', '20h'],
    ['stopOldJobs', 'jobStopDeadline', '3d'],
    ['shutOutOldWriters', 'fenceLimit', '50m'],
    ['takePointer', 'leaseTtl', '2h'],
    ['copyBlobs', 'replicateDeadline', '5d'],
    ['scrubReplicas', 'scrubAtMost', '1d'],
    ['checkStandby', 'standbyDeadline', '15m'],
  ] as const)('%s leaves the whole of %s to one attempt', (action, policy, time) => {
    const { attemptSeconds, stepSeconds } = timeLimitsOf(action, policiesOf(`${policy}: ${time}`));
    expect(attemptSeconds).toBeGreaterThan(toSeconds(time));
    expect(stepSeconds).toBeGreaterThanOrEqual(2 * attemptSeconds);
  });

  it('are no shorter than its profile where the policies are short', () => {
    expect(timeLimitsOf('probePublicAddress', policiesOf('probeDeadline: 1s'))).toEqual({
      attemptSeconds: 600,
      stepSeconds: 1800,
      silenceSeconds: 300,
    });
    expect(timeLimitsOf('deployTemplate', policiesOf('provisionDeadline: 1s')).attemptSeconds).toBe(12 * hour);
  });

  it('count a request that is tried again as no silence', () => {
    const silence = (more: string) => timeLimitsOf('copyBlobs', policiesOf(more)).silenceSeconds;
    expect(silence('progressDeadline: 20m')).toBe(1200);
    expect(silence('progressDeadline: 1s, requestTimeout: 30s')).toBe(120);
  });
});

it('time limits are in each step of a plan', () => {
  const failover = compileFailover({
    ...compileInput('policies: { probeDeadline: 30m }'),
    recoveryPoint: recoveryPoint(),
  });
  for (const { id, timeLimits } of [...failover.steps, ...compileReplicate(compileInput()).steps])
    expect(timeLimits, id).toBeDefined();
  const probe = failover.steps.find(({ action }) => action === 'scoreEndpoints');
  expect(probe?.timeLimits?.attemptSeconds).toBeGreaterThan(1800);
});
