/** The certificate authority and the server certificate of this cloud, made on the spot and kept in its state folder. */

import { X509Certificate } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { generate } from 'selfsigned';

export interface Certificates {
  /** Where the authority's certificate (PEM) is: what clients trust. */
  caFile: string;
  ca: string;
  cert: string;
  key: string;
}

const DAY_MS = 86_400_000;
const CA_DAYS = 3650;
/** Below the 398 days that strict clients accept of a server certificate. */
const SERVER_DAYS = 390;
/** Renewed this long before it ends, so that a stack left up for weeks does not fail under its user. */
const RENEW_BEFORE_MS = 30 * DAY_MS;

/**
 * Reads the certificates of `folder`, or makes them: both when there are none or the authority is near its end, else only
 * the server's when that is near its end (clients then go on trusting the same authority).
 */
export async function ensureCertificates(folder: string, now = new Date()): Promise<Certificates> {
  const files = {
    ca: join(folder, 'ca.pem'),
    caKey: join(folder, 'ca-key.pem'),
    cert: join(folder, 'server.pem'),
    key: join(folder, 'server-key.pem'),
  };
  if (!isGood(files.ca, files.caKey, now)) {
    const made = await generate([{ name: 'commonName', value: 'Local Azure test authority' }], {
      ...validity(now, CA_DAYS),
      keyType: 'ec',
      algorithm: 'sha256',
      extensions: [
        { name: 'basicConstraints', cA: true, critical: true },
        { name: 'keyUsage', keyCertSign: true, cRLSign: true, critical: true },
      ],
    });
    save(files.ca, made.cert, files.caKey, made.private);
  }
  const ca = readFileSync(files.ca, 'utf8');
  if (!isGood(files.cert, files.key, now) || !isIssuedBy(files.cert, ca)) {
    const made = await generate([{ name: 'commonName', value: 'localhost' }], {
      ...validity(now, SERVER_DAYS),
      keyType: 'ec',
      algorithm: 'sha256',
      ca: { key: readFileSync(files.caKey, 'utf8'), cert: ca },
      extensions: [
        { name: 'basicConstraints', cA: false, critical: true },
        { name: 'keyUsage', digitalSignature: true, critical: true },
        { name: 'extKeyUsage', serverAuth: true },
        {
          name: 'subjectAltName',
          altNames: [
            { type: 2, value: 'localhost' },
            { type: 2, value: '*.localhost' },
            { type: 7, ip: '127.0.0.1' },
            { type: 7, ip: '::1' },
          ],
        },
      ],
    });
    save(files.cert, made.cert, files.key, made.private);
  }
  return {
    caFile: files.ca,
    ca,
    cert: readFileSync(files.cert, 'utf8'),
    key: readFileSync(files.key, 'utf8'),
  };
}

function validity(now: Date, days: number): { notBeforeDate: Date; notAfterDate: Date } {
  // An hour of grace: containers and their hosts disagree about the time.
  return {
    notBeforeDate: new Date(now.getTime() - 3_600_000),
    notAfterDate: new Date(now.getTime() + days * DAY_MS),
  };
}

function isGood(certFile: string, keyFile: string, now: Date): boolean {
  if (!existsSync(certFile) || !existsSync(keyFile)) return false;
  const ends = new X509Certificate(readFileSync(certFile)).validToDate;
  return ends.getTime() - now.getTime() > RENEW_BEFORE_MS;
}

function isIssuedBy(certFile: string, ca: string): boolean {
  return new X509Certificate(readFileSync(certFile)).verify(new X509Certificate(ca).publicKey);
}

function save(certFile: string, cert: string, keyFile: string, key: string): void {
  writeFileSync(keyFile, key, { mode: 0o600 });
  writeFileSync(certFile, cert);
}
