/** Advice on refusals, by Entra's error numbers and by the codes of ARM and the storage service. */
import type { CertificateFault } from '../errors/certificate.ts';

/** https://learn.microsoft.com/entra/identity-platform/reference-error-codes */
const entra: Record<string, string> = {
  '7000215':
    'Set AZURE_CLIENT_SECRET to a secret of the app AZURE_CLIENT_ID: its value, not its id. The workers need it too.',
  '7000222':
    'The secret has expired: make a new one ("az ad app credential reset --append --id $AZURE_CLIENT_ID") and set AZURE_CLIENT_SECRET, for the workers too.',
  '700024': 'The client certificate is used outside its time: check the clock of this machine, and the certificate.',
  '700027':
    'The app does not know the client certificate, or it has expired: upload a new one ("az ad app credential reset --append --id $AZURE_CLIENT_ID --cert @FILE") and set AZURE_CLIENT_CERTIFICATE_PATH, for the workers too.',
  '700016': 'The tenant has no such app: check AZURE_CLIENT_ID, and that AZURE_TENANT_ID is the tenant of the app.',
  '7000112': 'The app is disabled: have it enabled in Entra (Enterprise applications), or use another.',
  '90002': 'There is no such tenant: check AZURE_TENANT_ID ("az account show --query tenantId").',
  '900023': 'That is no tenant: check AZURE_TENANT_ID ("az account show --query tenantId").',
  '500011':
    'The tenant does not know that service: check AZURE_RESOURCE_MANAGER_ENDPOINT, AZURE_RESOURCE_MANAGER_AUDIENCE and AZURE_TENANT_ID.',
  '53003': 'A conditional access policy refuses it from here: sign in from where it allows, or use another identity.',
};

const signInAgain = 'Sign in again: "az login".';
/** A person's sign-in that has expired, or needs an interactive step. */
const runOut = /^(700082|700084|70043|50173|50076|50078|50079|50158|50013)$/;

/** Advice on failed sign-ins with an unknown cause. */
export const credentialAdvice =
  'Check AZURE_TENANT_ID, AZURE_CLIENT_ID, AZURE_CLIENT_SECRET and AZURE_AUTHORITY_HOST, or sign in with "az login".';

/** `number`: as in "AADSTS7000215". */
export function signInAdvice(number: string | undefined): string {
  if (number === undefined) return credentialAdvice;
  return entra[number] ?? (runOut.test(number) ? signInAgain : credentialAdvice);
}

/** Advice on the TLS certificate of an Azure server, or of a proxy on the way. */
export const certificateAdviceFor: Record<CertificateFault, string> = {
  expired:
    'It has to be renewed by those who run that server, or the proxy on the way to it. If it is new, check the clock of this machine.',
  'not yet valid': 'Check the clock of this machine.',
  'of another name':
    'Check the addresses in AZURE_AUTHORITY_HOST and AZURE_RESOURCE_MANAGER_ENDPOINT, and whether a proxy is on the way.',
  untrusted:
    "The server's certificate is not trusted: set NODE_EXTRA_CA_CERTS to the certificate authority's PEM file.",
};

interface Refused {
  status: number;
  code: string | undefined;
  message: string | undefined;
}

const refusals: Record<string, string> = {
  InvalidAuthenticationTokenTenant:
    'The subscription belongs to another tenant than the one signed in to: set AZURE_TENANT_ID to that of the subscription ("az account show --query tenantId").',
  ExpiredAuthenticationToken: 'Check the clock of this machine, and sign in again.',
  InvalidAuthenticationTokenAudience:
    'Check AZURE_RESOURCE_MANAGER_ENDPOINT and AZURE_RESOURCE_MANAGER_AUDIENCE: the token was made for another service.',
  SubscriptionNotFound:
    'Check the subscriptionId in the topology, and that the identity has a role there ("az account list").',
  InvalidSubscriptionId: 'Check the subscriptionId in the topology ("az account list").',
  RequestDisallowedByPolicy: 'An Azure Policy of the scope denies it: have it exempted, or change the template.',
  KeyBasedAuthenticationNotPermitted:
    'The storage account does not allow shared keys, and this version reaches blobs by them: allow them (allowSharedKeyAccess).',
  AuthorizationFailure:
    'The storage account’s firewall does not let this machine in, or the key is not allowed: see its networking.',
};

/** Returns advice on a refusal. Undefined if the message says enough. */
export function refusalAdvice({ status, code, message }: Refused): string | undefined {
  if (code === 'AuthorizationFailed' || code === 'LinkedAuthorizationFailed') return roleAdvice(message ?? '');
  const known = code === undefined ? undefined : refusals[code];
  if (known !== undefined) return known;
  if (status === 401) return credentialAdvice;
  return status === 403
    ? 'See what the identity may do there: "az role assignment list --assignee $AZURE_CLIENT_ID --all".'
    : undefined;
}

/**
 * ARM names the object, the action and the scope. That is enough for the command that a colleague with the right can
 * run.
 */
function roleAdvice(message: string): string {
  const assignee = /object id '([^']+)'/.exec(message)?.[1];
  const action = /(?:perform|perform action\(s\)|on) ?(?:action )?'(Microsoft\.[^']+)'/i.exec(message)?.[1];
  const scope = /over scope '([^']+)'/.exec(message)?.[1];
  const what = action === undefined ? 'it' : `"${action}"`;
  const how = [
    'az role assignment create',
    assignee && `--assignee-object-id ${assignee}`,
    scope && `--scope ${scope}`,
  ];
  return `Have the identity given a role that allows ${what}: ${how.filter(Boolean).join(' ')} --role …. A role just given is honoured after some minutes.`;
}
