import {
  applyEdits,
  type ConfigDocument,
  type ConfigNode,
  type ConfigScalar,
  type Edit,
} from './documents/document.ts';

/** Replaces a secret in a diff, a change or an error. */
export const mask = '***';

/** These mark a secret anywhere in a key (`PGPASSWORD`). The others must be a word of the key (`API_KEY`). */
const secretAnywhere =
  /passw(?:or)?d|passphrase|secret|credential|token(?!iz)|(?:api|access|account|shared|private)_?keys?(?:_|$)|conn(?:ection)?_?str/i;
const secretWord =
  /(?:^|_)(?:(?:primary|secondary|storage|signing|encryption)?keys?|pwd|pass|sas|sig|signature|auth|authorization)(?:_|$)/i;

/** A name with what parts it from its value: `key = `, `"key": "`, `--key `. */
// The bounds keep it linear on a line of base64 a megabyte long.
const named =
  /(?:(?<!\w)([A-Za-z_][\w.-]{0,127})["']?[ \t]{0,16}[:=][ \t]*|(?<!\w)--?([A-Za-z][\w-]{0,127})[ \t]+)(["']?)/g;

/** Whether a key's name says that its value is a secret. In doubt, true. */
export function isSecretKey(key: string): boolean {
  const normal = key
    .replaceAll(/([a-z0-9])([A-Z])/g, '$1_$2')
    .replaceAll(/[-. ]/g, '_')
    .replaceAll(/key_?vault/gi, 'vault');
  return secretAnywhere.test(normal) || secretWord.test(normal);
}

/**
 * Masks what looks like a secret in any text, and keeps line breaks. An addition to masking by key, not a replacement.
 */
export function maskText(text: string): string {
  return text
    .replaceAll(/-----BEGIN [^-\r\n]*PRIVATE KEY-----[\s\S]*?(?:-----END [^-\r\n]*-----|$)/g, maskLines)
    .replaceAll(/\beyJ[\w-]+\.[\w-]+\.[\w-]*/g, mask)
    .replaceAll(/\b(Bearer|Basic)[ \t]+[^\s"',;]+/gi, `$1 ${mask}`)
    .replaceAll(/([a-z][a-z0-9+.-]{0,31}:\/\/[^\s/@:"']*:)[^\s/@"']+@/gi, `$1${mask}@`)
    .replaceAll(/[^\r\n]+/g, maskAssignments);
}

/**
 * Masks the values after secret names in one line. In a comment, which has no grammar, masks everything that follows.
 */
function maskAssignments(line: string): string {
  const comment = line.search(/(?:^|\s)(?:#|\/\/)/);
  for (const match of line.matchAll(named)) {
    const [head, assigned, flag, quote] = match;
    if (!isSecretKey(assigned ?? flag ?? '')) continue;
    const start = match.index + head.length;
    const inComment = comment >= 0 && match.index >= comment;
    const until = inComment ? /$/ : quote ? new RegExp(`(?<!\\\\)${quote}|$`) : /[\s"';&,}\]]|$/;
    const length = line.slice(start).search(until);
    if (length === 0) continue;
    // The rest is masked recursively: the inserted mask no longer begins with a secret name.
    return line.slice(0, start) + mask + maskAssignments(line.slice(start + length));
  }
  return line;
}

function maskLines(text: string): string {
  return text.replaceAll(/[^\r\n]+/g, mask);
}

/** Returns the scalars that are secrets: those below a secret key, at any depth, and private keys by their form. */
export function secretPlaces(document: ConfigDocument): Set<ConfigScalar> {
  const found = new Set<ConfigScalar>();
  const seen = new Map<ConfigNode, Set<boolean>>();
  const visit = (node: ConfigNode, secret: boolean): void => {
    const before = seen.get(node) ?? new Set();
    if (before.has(secret)) return;
    seen.set(node, before.add(secret));
    if (node.kind === 'scalar' && (secret || node.value.includes('PRIVATE KEY-----'))) {
      found.add(node.anchor ?? node);
    }
    if (node.kind === 'list') for (const item of node.items) visit(item, secret);
    if (node.kind !== 'block') return;
    for (const { key, value } of node.entries) visit(value, secret || (key !== undefined && isSecretKey(key.value)));
    for (const merged of node.merges) visit(merged, secret);
  };
  for (const root of document.roots) visit(root, false);
  return found;
}

/**
 * Masks the secrets in a file's text, line by line: values of secret keys, and whatever `maskText` finds. `rewritten`:
 * the scalars that this run changed. Their masks say so, since otherwise a diff would not show the line.
 */
export function maskDocument(
  text: string,
  document: ConfigDocument,
  rewritten: ReadonlySet<number> = new Set(),
): string {
  const secrets = secretPlaces(document);
  const edits: Edit[] = [];
  for (const [index, scalar] of document.scalars.entries()) {
    const { start, end } = scalar;
    if (!secrets.has(scalar) || start === end) continue;
    const kept = maskLines(text.slice(start, end));
    edits.push({ start, end, text: rewritten.has(index) ? kept.replace(mask, `${mask} (rewritten)`) : kept });
  }
  return maskText(applyEdits(text, edits));
}
