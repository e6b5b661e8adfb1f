/**
 * The certificate authority and the server certificate of this cloud, made on the spot and kept in its state folder.
 */

import { createPrivateKey, webcrypto, X509Certificate } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as x509 from '@peculiar/x509';
import { SERVICE_WILDCARDS } from './http/service-hosts.ts';

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
const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };

/**
 * Reads the certificates of `folder`, or makes them: both when there are none or the authority is near its end, else
 * only the server's when that is near its end (clients then go on trusting the same authority).
 */
export async function ensureCertificates(folder: string, now = new Date()): Promise<Certificates> {
  const files = {
    ca: join(folder, 'ca.pem'),
    caKey: join(folder, 'ca-key.pem'),
    cert: join(folder, 'server.pem'),
    key: join(folder, 'server-key.pem'),
  };
  if (!isGood(files.ca, files.caKey, now)) await makeAuthority(files.ca, files.caKey, now);
  const ca = readFileSync(files.ca, 'utf8');
  if (!isGood(files.cert, files.key, now) || !isIssuedBy(files.cert, ca) || !namesServices(files.cert)) {
    await makeServer(files.cert, files.key, ca, readFileSync(files.caKey, 'utf8'), now);
  }
  return {
    caFile: files.ca,
    ca,
    cert: readFileSync(files.cert, 'utf8'),
    key: readFileSync(files.key, 'utf8'),
  };
}

async function makeAuthority(certFile: string, keyFile: string, now: Date): Promise<void> {
  const keys = await newKeys();
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    name: 'CN=Local Azure test authority',
    keys,
    signingAlgorithm: ALGORITHM,
    ...validity(now, CA_DAYS),
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  await save(certFile, certificate, keyFile, keys.privateKey);
}

/** The key identifiers are what strict clients (Python from 3.13 on) ask of every certificate. */
async function makeServer(certFile: string, keyFile: string, ca: string, caKey: string, now: Date): Promise<void> {
  const authority = new x509.X509Certificate(ca);
  const der = x509.PemConverter.decodeFirst(caKey);
  const signingKey = await webcrypto.subtle.importKey('pkcs8', der, ALGORITHM, false, ['sign']);
  const keys = await newKeys();
  const certificate = await x509.X509CertificateGenerator.create({
    subject: 'CN=localhost',
    issuer: authority.subject,
    publicKey: keys.publicKey,
    signingKey,
    signingAlgorithm: ALGORITHM,
    ...validity(now, SERVER_DAYS),
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
      new x509.SubjectAlternativeNameExtension([
        { type: 'dns', value: 'localhost' },
        { type: 'dns', value: '*.localhost' },
        ...SERVICE_WILDCARDS.map((value) => ({ type: 'dns' as const, value })),
        { type: 'ip', value: '127.0.0.1' },
        { type: 'ip', value: '::1' },
      ]),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
      await x509.AuthorityKeyIdentifierExtension.create(authority.publicKey),
    ],
  });
  await save(certFile, certificate, keyFile, keys.privateKey);
}

function newKeys(): Promise<webcrypto.CryptoKeyPair> {
  return webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']);
}

function validity(now: Date, days: number): { notBefore: Date; notAfter: Date } {
  // An hour of grace: containers and their hosts disagree about the time.
  return {
    notBefore: new Date(now.getTime() - 3_600_000),
    notAfter: new Date(now.getTime() + days * DAY_MS),
  };
}

function isGood(certFile: string, keyFile: string, now: Date): boolean {
  if (!existsSync(certFile) || !existsSync(keyFile)) return false;
  const certificate = readPem(certFile, 'certificate', (pem) => new X509Certificate(pem));
  const key = readPem(keyFile, 'private key', (pem) => createPrivateKey(pem));
  const left = certificate.validToDate.getTime() - now.getTime();
  return left > RENEW_BEFORE_MS && certificate.checkPrivateKey(key);
}

function readPem<T>(file: string, what: string, parse: (pem: Buffer) => T): T {
  try {
    return parse(readFileSync(file));
  } catch (error) {
    throw new Error(
      `${file}: expected a ${what} in PEM (${(error as Error).message}). Without the file, a new one is made; a new authority is one that clients must trust anew.`,
      { cause: error },
    );
  }
}

function isIssuedBy(certFile: string, ca: string): boolean {
  return new X509Certificate(readFileSync(certFile)).verify(new X509Certificate(ca).publicKey);
}

/** False for a certificate of an earlier version, which knew fewer names. */
function namesServices(certFile: string): boolean {
  const certificate = new X509Certificate(readFileSync(certFile));
  return SERVICE_WILDCARDS.every((name) => certificate.subjectAltName?.includes(`DNS:${name}`));
}

async function save(
  certFile: string,
  certificate: x509.X509Certificate,
  keyFile: string,
  key: webcrypto.CryptoKey,
): Promise<void> {
  const der = await webcrypto.subtle.exportKey('pkcs8', key);
  writeFileSync(keyFile, `${x509.PemConverter.encode(der, 'PRIVATE KEY')}\n`, { mode: 0o600 });
  writeFileSync(certFile, `${certificate.toString('pem')}\n`);
}
