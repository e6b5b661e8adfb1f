import { X509Certificate } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ensureCertificates } from '../../simulator/certificates.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'local-azure-certificates-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const DAY_MS = 86_400_000;

describe('certificates', () => {
  it('are kept, and renewed before they end under an authority that stays', async () => {
    const first = await ensureCertificates(folder);
    expect(await ensureCertificates(folder)).toEqual(first);
    const later = new Date(Date.now() + 380 * DAY_MS);
    const renewed = await ensureCertificates(folder, later);
    expect(renewed.ca).toBe(first.ca);
    expect(renewed.cert).not.toBe(first.cert);
    expect(new X509Certificate(renewed.cert).validToDate.getTime()).toBeGreaterThan(later.getTime() + 300 * DAY_MS);
    const muchLater = await ensureCertificates(folder, new Date(Date.now() + 3640 * DAY_MS));
    expect(muchLater.ca).not.toBe(first.ca);
    expect(new X509Certificate(muchLater.cert).verify(new X509Certificate(muchLater.ca).publicKey)).toBe(true);
  });

  it('name what clients call, and link to their authority by key identifier', async () => {
    const { cert, ca } = await ensureCertificates(folder);
    const server = new X509Certificate(cert);
    expect(server.checkHost('localhost')).toBe('localhost');
    for (const ip of ['127.0.0.1', '::1']) expect(server.checkIP(ip)).toBe(ip);
    expect(server.checkHost('example.com')).toBeUndefined();
    expect(server.checkIssued(new X509Certificate(ca))).toBe(true);
    expect(new X509Certificate(ca).ca).toBe(true);
  });

  it('say which file is damaged', async () => {
    for (const [file, what] of [
      ['server-key.pem', 'private key'],
      ['server.pem', 'certificate'],
      ['ca-key.pem', 'private key'],
      ['ca.pem', 'certificate'],
    ] as const) {
      await ensureCertificates(folder);
      writeFileSync(join(folder, file), '-----BEGIN');
      await expect(ensureCertificates(folder)).rejects.toThrow(`${file}: expected a ${what} in PEM`);
      rmSync(join(folder, file));
    }
  });
});
