/** Checks whether the escrow vault returns the secrets that the recovery point needs. Values are read and discarded. */
import { mapBounded } from '../run/work/bounded.ts';
import type { SecretRef } from '../recovery-point/manifest.ts';
import type { ResourceClass } from '../topology/words.ts';
import type { StandbyFinding } from './findings.ts';
import { answerOf, findingOf, probe, unlessAnswered, type Answer, type Look, type MakeFinding } from './inspection.ts';
import { sameVault } from '../workspace/sharing.ts';

/** Key Vault allows thousands of requests in ten seconds. A plan should not need them all. */
const sideBySide = 16;

interface Read {
  ref: SecretRef;
  answer: Answer<string | undefined>;
}

/** Returns what is wrong with the escrow vault and its secrets. */
export async function checkSecrets(look: Look): Promise<StandbyFinding[]> {
  const { azure, topology, to, sealed } = look;
  const { secrets } = sealed;
  if (secrets.length === 0) return [];
  const uri = topology.escrow?.vaults[to.region];
  if (uri === undefined) {
    const what = `no escrow vault is declared for ${to.region}, and ${secrets.length} secrets were put into one`;
    return [ofAll(to.region)('refused', what)];
  }
  const vault = azure.vault(uri);
  const access = await answerOf(look, () => vault.get(probe));
  if (access.state === 'silent' || access.state === 'unknown') return ofVault(look, uri, access);
  const read = await mapBounded(secrets, sideBySide, async (ref) => ({
    ref,
    answer: await answerOf(look, () => vault.get(ref.secret)),
  }));
  // A vault that refuses the probe may still return the secrets: roles can be assigned for each secret.
  const givesNone = !read.some(({ answer }) => answer.state === 'answered');
  if (access.state !== 'answered' && givesNone) return ofVault(look, uri, access);
  return [...ofGone(read, uri, to.region), ...ofRefused(read, uri), ...ofUnread(read, uri, to.region)];
}

const needing: Record<SecretRef['kind'], ResourceClass[]> = {
  datastore: ['data'],
  connection: ['platform'],
  endpoint: ['inference'],
};
const allNeeding: ResourceClass[] = ['platform', 'data', 'inference'];

function ofAll(region: string): MakeFinding {
  return findingOf({ kind: 'secrets', name: region, classes: allNeeding, acceptable: true });
}

/** A finding about one secret. A person may accept the loss of the resource it belongs to. */
function ofOne({ kind, name }: SecretRef): MakeFinding {
  return findingOf({ kind: 'secret', name: `${kind}/${name}`, classes: needing[kind], acceptable: true });
}

function ofVault(look: Look, uri: string, answer: Exclude<Answer<unknown>, { state: 'answered' }>): StandbyFinding[] {
  const name = look.to.region;
  const finding = findingOf({ kind: 'vault', name, classes: allNeeding, acceptable: false });
  const readOnly = isShared(look, uri) ? ' (Key Vault fails over by itself, and is read-only meanwhile)' : '';
  return unlessAnswered(look, answer, finding, `the escrow vault ${uri}${readOnly}`);
}

/** One finding per missing secret, or a single one if all of them are missing. */
function ofGone(read: readonly Read[], uri: string, region: string): StandbyFinding[] {
  const gone = read.filter(
    ({ answer }) => answer.state === 'missing' || (answer.state === 'answered' && answer.value === undefined),
  );
  if (gone.length > 1 && gone.length === read.length)
    return [
      ofAll(region)('refused', `all ${read.length} secrets are gone from the escrow vault ${uri}: ${named(gone)}`),
    ];
  return gone.map(({ ref }) =>
    ofOne(ref)('refused', `the secret of ${nameOf(ref)} is gone from the escrow vault ${uri}`),
  );
}

/**
 * The vault returns other secrets, so these are disabled or not readable with our rights. The run will be refused too.
 */
function ofRefused(read: readonly Read[], uri: string): StandbyFinding[] {
  return read.flatMap(({ ref, answer }) =>
    answer.state === 'refused'
      ? [ofOne(ref)('refused', `the escrow vault ${uri} refuses the secret of ${nameOf(ref)}: ${answer.why}`)]
      : [],
  );
}

function ofUnread(read: readonly Read[], uri: string, region: string): StandbyFinding[] {
  const unread = read.filter(({ answer }) => answer.state === 'silent' || answer.state === 'unknown');
  if (unread.length === 0) return [];
  const what = `${unread.length} of ${read.length} secrets of the escrow vault ${uri} could not be read: ${named(unread)}`;
  return [ofAll(region)('warning', what)];
}

function nameOf({ kind, name }: SecretRef): string {
  return `${kind} ${name}`;
}

function named(read: readonly Read[]): string {
  const names = read.map(({ ref }) => nameOf(ref));
  return names.length > 5 ? `${names.slice(0, 5).join(', ')}, …` : names.join(', ');
}

function isShared({ sealed }: Look, uri: string): boolean {
  return sealed.sharing.things.some((thing) => sameVault(uri, thing.uri));
}
