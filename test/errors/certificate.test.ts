/** What a certificate's fault is called: by the certificate itself, read from the server that shows it. */
import { expect, it } from 'vitest';
import { certificateFault, describeFault, readCertificate } from '../../src/errors/certificate.ts';
import { closedPort, startServer } from '../azure/server.ts';

it('is read although nobody trusts it, and says its day, its names and its authority', async () => {
  const server = await startServer({ trusted: false, madeAt: new Date('2024-01-01') });
  try {
    const { hostname: host, port } = new URL(server.url);
    const certificate = await readCertificate({ host, port: Number(port) });
    expect(describeFault('expired', certificate)).toBe('its TLS certificate has expired, on 2025-01-25');
    expect(describeFault('of another name', certificate)).toMatch(
      /^its TLS certificate is of another name \(localhost, /,
    );
    expect(describeFault('untrusted', certificate)).toContain('(Local Azure test authority)');
    expect(describeFault('not yet valid', certificate)).toContain('but from 2023-12-31 on');
    // The server's own is good at that time: then it is one above it.
    expect(describeFault('expired', certificate, new Date('2024-06-01'))).toContain('depends on has expired');
  } finally {
    await server.close();
  }
});

it('says what it can where no certificate can be read', async () => {
  const certificate = await readCertificate({ host: '127.0.0.1', port: await closedPort() });
  expect(certificate).toBeUndefined();
  expect(describeFault('expired', certificate)).toBe('its TLS certificate has expired');
  expect(describeFault('untrusted', certificate)).toBe(
    'its TLS certificate is of an authority that is not trusted here',
  );
});

it('is none where the code is of something else', () => {
  expect(certificateFault('ECONNREFUSED')).toBeUndefined();
  expect(certificateFault('CERT_HAS_EXPIRED')).toBe('expired');
});
