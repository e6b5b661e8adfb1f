/** What is wrong with the TLS certificate of a server, by the code with which Node refuses it, in words. */
import { isIP } from 'node:net';
import { connect, type PeerCertificate } from 'node:tls';

export type CertificateFault = 'expired' | 'not yet valid' | 'of another name' | 'untrusted';

const faults: Record<string, CertificateFault | undefined> = {
  CERT_HAS_EXPIRED: 'expired',
  CERT_NOT_YET_VALID: 'not yet valid',
  ERR_TLS_CERT_ALTNAME_INVALID: 'of another name',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'untrusted',
  SELF_SIGNED_CERT_IN_CHAIN: 'untrusted',
  UNABLE_TO_GET_ISSUER_CERT: 'untrusted',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'untrusted',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'untrusted',
};

/** Undefined: the code is of something else. */
export function certificateFault(code: string): CertificateFault | undefined {
  return faults[code];
}

/** A server to ask for its certificate. */
export interface TlsServer {
  host: string;
  port: number;
  /** The name that the certificate must have; default: the host. */
  serverName?: string;
}

/**
 * The certificate that a server shows, whether or not it is trusted; undefined where none can be had within
 * `timeoutMs`.
 */
export function readCertificate(
  { host, port, serverName = host }: TlsServer,
  timeoutMs = 3000,
): Promise<PeerCertificate | undefined> {
  return new Promise((resolve) => {
    const socket = connect({
      host,
      port,
      rejectUnauthorized: false,
      ...(isIP(serverName) === 0 ? { servername: serverName } : {}),
    });
    const end = (certificate?: PeerCertificate) => {
      socket.destroy();
      resolve(certificate?.valid_to === undefined ? undefined : certificate);
    };
    socket.setTimeout(timeoutMs, () => end());
    socket.on('error', () => end());
    socket.on('secureConnect', () => end(socket.getPeerCertificate()));
  });
}

/** `its certificate expired on 2026-01-02`, as far as the certificate tells. */
export function describeFault(
  fault: CertificateFault,
  certificate: PeerCertificate | undefined,
  now = new Date(),
): string {
  switch (fault) {
    case 'expired': {
      const end = dayOf(certificate?.valid_to);
      if (certificate && Date.parse(certificate.valid_to) > now.getTime())
        return 'a certificate that its TLS certificate depends on has expired';
      return `its TLS certificate has expired${end === undefined ? '' : `, on ${end}`}`;
    }
    case 'not yet valid': {
      const start = dayOf(certificate?.valid_from);
      return `its TLS certificate is not valid yet${start === undefined ? '' : `, but from ${start} on`}`;
    }
    case 'of another name': {
      const names = certificate?.subjectaltname?.replaceAll(/(DNS|IP Address):/g, '');
      return `its TLS certificate is of another name${names === undefined ? '' : ` (${names})`}`;
    }
    case 'untrusted': {
      const issuer = certificate?.issuer?.CN;
      const by = issuer === undefined ? '' : ` (${String(issuer)})`;
      return `its TLS certificate is of an authority that is not trusted here${by}`;
    }
  }
}

function dayOf(date: string | undefined): string | undefined {
  if (date === undefined || Number.isNaN(Date.parse(date))) return undefined;
  return new Date(date).toISOString().slice(0, 10);
}
