import type { ConfigBlock, ConfigEntry, ConfigNode, ConfigScalar } from './documents/document.ts';
import { isFreeMap, keyMeaning, nestedMeaning, type KeyMeaning } from './key-roles.ts';
import { mappedCompute, sameText, storageAccounts, type Replacement, type WorkspaceMapping } from './mapping.ts';
import { mentionsSource, movedReference } from './reference.ts';
import { isSecretKey } from './secrets.ts';
import { holdsSource, readWorkspaceBlock, roleValue, type RoleSite, type Standing } from './workspace-block.ts';

/**
 * What one reading of a place says: replace it with `to`, or (`keep`) leave it, because it belongs to another
 * workspace.
 */
export type Opinion = { kind: 'change'; to: string } | { kind: 'keep' };

/** Something that a person has to check. Never quotes a value. */
interface Notice {
  site: ConfigScalar;
  text: string;
}

/** What the values of a file name. */
export interface Meaning {
  opinions: Map<ConfigScalar, Opinion[]>;
  notices: Notice[];
}

interface Context {
  standing: Standing;
  /** Below a map whose keys mean nothing. */
  free: boolean;
  meaning: KeyMeaning | undefined;
  key: string;
}

/** Finds what each place of a parsed file means, and so what it must become. */
export function readMeaning(roots: readonly ConfigNode[], mapping: WorkspaceMapping): Meaning {
  const reader = new MeaningReader(mapping);
  for (const root of roots) reader.visit(root, { standing: 'open', free: false, meaning: undefined, key: '' });
  return { opinions: reader.opinions, notices: [...reader.notices.values()] };
}

class MeaningReader {
  readonly opinions = new Map<ConfigScalar, Opinion[]>();
  /** One notice for each place: a block that several others merge is read several times. */
  readonly notices = new Map<ConfigScalar, Notice>();
  readonly #mapping: WorkspaceMapping;
  readonly #accounts: Replacement[];
  readonly #visited = new Map<ConfigNode, Set<string>>();

  constructor(mapping: WorkspaceMapping) {
    this.#mapping = mapping;
    this.#accounts = storageAccounts(mapping);
  }

  visit(node: ConfigNode, context: Context): void {
    // Aliases can make a small file a huge tree, or a loop. In one context a node always means the same.
    const seen = this.#visited.get(node) ?? new Set();
    const stamp = [context.standing, context.free, context.meaning?.role, context.key].join('|');
    if (seen.has(stamp)) return;
    this.#visited.set(node, seen.add(stamp));
    if (node.kind === 'scalar') this.#visitScalar(node, context);
    if (node.kind === 'list') for (const item of node.items) this.visit(item, context);
    if (node.kind === 'block') this.#visitBlock(node, context);
  }

  #visitBlock(block: ConfigBlock, context: Context): void {
    const entries = effectiveEntries(block, new Set());
    const sites: RoleSite[] = entries.flatMap(({ key, value }) => {
      const meaning = key && meaningIn(key.value, context);
      return meaning && value.kind === 'scalar' ? [{ meaning, site: value }] : [];
    });
    const reading = readWorkspaceBlock(sites, this.#mapping);
    for (const site of sites) this.#visitRole(site, reading.standingOf(site.meaning.family));
    const standing = reading.standing === 'open' ? context.standing : reading.standing;
    for (const { key, value } of entries) {
      if (key) this.#visitReference(key);
      const name = key?.value ?? '';
      const meaning = meaningIn(name, context);
      const family = meaning ? reading.standingOf(meaning.family) : 'open';
      this.visit(value, {
        standing: family === 'open' ? standing : family,
        free: context.free || isFreeMap(name),
        meaning: context.free ? undefined : meaning,
        key: name,
      });
    }
    this.#noticeKeysOf(entries);
  }

  #visitRole(roleSite: RoleSite, standing: Standing): void {
    const { meaning, site } = roleSite;
    if (!holdsSource(roleSite, this.#mapping)) return;
    const from = roleValue(meaning.role, this.#mapping.from) ?? '';
    const to = roleValue(meaning.role, this.#mapping.to) ?? '';
    // The same on both sides: a different spelling is no reason to change it.
    if (sameText(from, to)) return;
    if (standing === 'source' && to !== undefined && to !== site.value) this.#say(site, { kind: 'change', to });
    if (standing === 'foreign') this.#say(site, { kind: 'keep' });
    if (standing === 'open' && meaning.role !== 'location') {
      this.#notice(
        site,
        "has the source's value, but the whole source workspace is not named beside it: left as it is",
      );
    }
  }

  #visitScalar(site: ConfigScalar, context: Context): void {
    const role = context.meaning?.role;
    if (role === 'compute' && this.#visitCompute(site, context)) return;
    if (role === 'storageAccount') {
      const account = this.#accounts.find(({ from }) => sameText(from, site.value));
      if (account) return this.#say(site, { kind: 'change', to: account.to });
    }
    this.#visitReference(site);
  }

  #visitCompute(site: ConfigScalar, context: Context): boolean {
    const [, prefix = '', name = ''] = /^(azureml:)?(.*)$/is.exec(site.value) ?? [];
    const compute = mappedCompute(name, this.#mapping);
    if (compute === undefined) return false;
    const foreign = context.standing === 'foreign';
    this.#say(site, foreign ? { kind: 'keep' } : { kind: 'change', to: prefix + compute });
    return true;
  }

  #visitReference(site: ConfigScalar): void {
    const to = movedReference(site.value, this.#mapping);
    if (to !== undefined) {
      this.#say(site, { kind: 'change', to });
      if (/[?&]sig=/i.test(to)) {
        this.#notice(site, "carries a SAS signature of the source's account: issue a new one from the target");
      }
      return;
    }
    const account = /(?:^|;)\s*AccountName=([^;]+)/i.exec(site.value)?.[1];
    if (account !== undefined && this.#accounts.some(({ from }) => sameText(from, account.trim()))) {
      this.#notice(site, "is a connection string of the source's account, with its key: left as it is, set it by hand");
    } else if (mentionsSource(site.value, this.#mapping)) {
      this.#notice(site, 'names the source workspace inside a longer text: left as it is');
    }
  }

  /** Reports a storage account that gets another name although the key next to it stays the old one's. */
  #noticeKeysOf(entries: readonly ConfigEntry[]): void {
    const holdsKey = entries.some(({ key }) => key && isSecretKey(key.value));
    if (!holdsKey) return;
    for (const { key, value } of entries) {
      const isAccount = key && keyMeaning(key.value)?.role === 'storageAccount';
      if (!isAccount || value.kind !== 'scalar' || !this.opinions.get(value)?.some(isChange)) continue;
      this.#notice(
        value,
        "is now the target's storage account, but the secret beside it is the source's: set it by hand",
      );
    }
  }

  #say(site: ConfigScalar, opinion: Opinion): void {
    const said = this.opinions.get(site) ?? [];
    said.push(opinion);
    this.opinions.set(site, said);
  }

  #notice(site: ConfigScalar, text: string): void {
    this.notices.set(site, { site, text });
  }
}

function isChange(opinion: Opinion): boolean {
  return opinion.kind === 'change';
}

function meaningIn(key: string, context: Context): KeyMeaning | undefined {
  return nestedMeaning(key, context.key) ?? keyMeaning(key);
}

/** Returns a block's own entries, and those that it merges and does not override. */
function effectiveEntries(block: ConfigBlock, path: Set<ConfigBlock>): ConfigEntry[] {
  if (path.has(block)) return [];
  const below = new Set(path).add(block);
  const entries = [...block.entries];
  const names = new Set(entries.map(({ key }) => key?.value));
  for (const entry of block.merges.flatMap((merged) => effectiveEntries(merged, below))) {
    if (names.has(entry.key?.value)) continue;
    names.add(entry.key?.value);
    entries.push(entry);
  }
  return entries;
}
