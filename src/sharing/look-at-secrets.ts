/** Whether the escrow vault gives the secrets that the recovery point needs. Values are read, and dropped. */
import { mapBounded } from '../artifacts/bounded.ts';
import type { ResourceClass } from '../topology/words.ts';
import type { StandbyFinding } from './findings.ts';
import { ask, findingOf, unlessAnswered, type Look } from './look.ts';
import { sameVault } from './sharing.ts';

/** Key Vault takes thousands of requests in ten seconds; a plan should not need them. */
const sideBySide = 16;

export async function lookAtSecrets(look: Look): Promise<StandbyFinding[]> {
  const { azure, topology, to, sealed } = look;
  const [first] = sealed.secrets;
  if (!first) return [];
  const classes: ResourceClass[] = ['platform', 'inference'];
  const finding = findingOf({ kind: 'secrets', name: to.region, classes, acceptable: true });
  const uri = topology.escrow?.vaults[to.region];
  if (uri === undefined) {
    const count = sealed.secrets.length;
    return [
      finding(
        'refused',
        `no escrow vault is declared for ${to.region}, and ${count} secrets were put into one`,
      ),
    ];
  }
  const ofVault = findingOf({ kind: 'vault', name: to.region, classes, acceptable: false });
  const vault = azure.vault(uri);
  const whole = await ask(look, () => vault.get(first.secret));
  if (whole.state !== 'answered') {
    const readOnly = isShared(look, uri)
      ? ' (Key Vault fails over by itself, and is read-only meanwhile)'
      : '';
    return unlessAnswered(look, whole, ofVault, `the escrow vault ${uri}${readOnly}`);
  }
  const answers = await mapBounded(sealed.secrets, sideBySide, async (ref) => ({
    ref,
    answer: ref === first ? whole : await ask(look, () => vault.get(ref.secret)),
  }));
  const named = (all: typeof answers) =>
    all
      .map(({ ref }) => `${ref.kind} ${ref.name}`)
      .slice(0, 5)
      .join(', ');
  const gone = answers.filter(({ answer }) => answer.state === 'answered' && answer.value === undefined);
  const unread = answers.filter(({ answer }) => answer.state !== 'answered');
  return [
    ...(gone.length > 0
      ? [
          finding(
            'refused',
            `${gone.length} of ${answers.length} secrets are gone from the escrow vault ${uri}: ${named(gone)}`,
          ),
        ]
      : []),
    ...(unread.length > 0
      ? [
          finding(
            'warning',
            `${unread.length} of ${answers.length} secrets of the escrow vault ${uri} could not be read: ${named(unread)}`,
          ),
        ]
      : []),
  ];
}

function isShared({ sealed }: Look, uri: string): boolean {
  return sealed.sharing.things.some((thing) => sameVault(uri, thing.uri));
}
