/** `--environment FILE`: what the file sets, what it leaves, and whom it makes trusted. */
import { X509Certificate } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ensureCertificates } from '../../simulator/certificates.ts';
import { loadEnvironment } from '../../src/cli/environment-file.ts';

const trustedBefore = getCACertificates('default');
const fingerprint = (pem: string) => new X509Certificate(pem).fingerprint256;
let folder: string;
let file: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'understudy-environment-'));
  file = join(folder, 'env');
});
afterEach(async () => {
  vi.unstubAllEnvs();
  setDefaultCACertificates(trustedBefore);
  await rm(folder, { recursive: true, force: true });
});

describe('an environment file', () => {
  it('sets what is not set, and leaves what is', async () => {
    vi.stubEnv('UNDERSTUDY_TEST_SET', 'mine');
    vi.stubEnv('UNDERSTUDY_TEST_UNSET', undefined);
    await writeFile(file, 'export UNDERSTUDY_TEST_SET="its"\nexport UNDERSTUDY_TEST_UNSET="its"\n');
    loadEnvironment(file);
    expect([process.env.UNDERSTUDY_TEST_SET, process.env.UNDERSTUDY_TEST_UNSET]).toEqual(['mine', 'its']);
  });

  it('makes its certificate authority trusted, also where the machine has one of its own', async () => {
    const { ca } = await ensureCertificates(folder);
    await writeFile(join(folder, 'its-ca.pem'), ca);
    vi.stubEnv('NODE_EXTRA_CA_CERTS', '/etc/ssl/of-the-house.pem');
    await writeFile(file, `export NODE_EXTRA_CA_CERTS="${join(folder, 'its-ca.pem')}"\n`);
    loadEnvironment(file);
    const now = new Set(getCACertificates('default').map(fingerprint));
    expect(now).toContain(fingerprint(ca));
    for (const before of trustedBefore) expect(now).toContain(fingerprint(before));
    expect(process.env.NODE_EXTRA_CA_CERTS).toBe('/etc/ssl/of-the-house.pem');
  });

  it('that names an authority which is not there is bad input, and both are named', async () => {
    await writeFile(file, 'export NODE_EXTRA_CA_CERTS="/nowhere/ca.pem"\n');
    expect(() => loadEnvironment(file)).toThrow(
      expect.objectContaining({
        exitCode: 2,
        message: expect.stringMatching(/^cannot read NODE_EXTRA_CA_CERTS "\/nowhere\/ca\.pem", which ".*env" names/),
      }),
    );
  });
});
