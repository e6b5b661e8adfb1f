/**
 * Finds secrets in text that people write: connection strings, keys of storage accounts, shared access signatures.
 * Pure.
 */

/** A secret in a text. */
export interface SecretInText {
  /** A description that can be shown: `an account key`. */
  what: string;
  /** Name of the storage account that it belongs to, if the text says so. */
  account?: string | undefined;
  /** Whether it belongs to a storage account. */
  isStorage: boolean;
}

const accountKey = /(?<![A-Za-z0-9+/])[A-Za-z0-9+/]{86}==(?![A-Za-z0-9+/=])/g;
const keyInString = /\b(AccountKey|SharedAccessKey)\s*=\s*[^;\s"']+/gi;
const signature = /\b(sig|SharedAccessSignature)=(?!\$)[^&;\s"']{8,}/gi;

/** Finds the secrets in a text. A text that reads them from a variable (`$KEY`) contains none. */
export function secretsIn(text: string): SecretInText[] {
  const found: SecretInText[] = [];
  const account = accountIn(text);
  const named = [...text.matchAll(keyInString)].filter(([whole]) => !/=\s*\$/.test(whole));
  for (const [, name = ''] of named) {
    const isStorage = name.toLowerCase() === 'accountkey';
    found.push(
      isStorage
        ? { what: 'a connection string', account, isStorage }
        : { what: 'a connection string of a message hub', isStorage },
    );
  }
  const bare = text.replaceAll(keyInString, '');
  if (bare.search(accountKey) >= 0) found.push({ what: 'an account key', account, isStorage: true });
  if (bare.search(signature) >= 0) found.push({ what: 'a shared access signature', account, isStorage: true });
  return found;
}

/** Returns the text without its secrets, so that it can be shown. */
export function withoutSecretTexts(text: string): string {
  return text.replaceAll(keyInString, '$1=…').replaceAll(accountKey, '…').replaceAll(signature, '$1=…');
}

function accountIn(text: string): string | undefined {
  const named =
    /\bAccountName\s*=\s*([a-z0-9]+)/i.exec(text) ?? /\b([a-z0-9]{3,24})\.(?:blob|dfs|file|queue|table)\./i.exec(text);
  return named?.[1];
}
