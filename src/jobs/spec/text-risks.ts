/**
 * Finds risks in text of a job that is not a reference as a whole: a command line, an environment variable, a literal.
 * Such text is not rewritten. But a job that would write into the old region because of it, or fail, is not submitted
 * silently. Pure.
 *
 * | the text contains                                                    | the job is                                             |
 * |----------------------------------------------------------------------|--------------------------------------------------------|
 * | a reference to something of the old workspace                        | left for a person: it would fail, or use the old one   |
 * | a key, signature or connection string of the old account, or of one  | left for a person: in the standby it gives access to   |
 * | that nothing names                                                   | nothing, or to the old region's store                  |
 * | such a secret of another account, or of a message hub                | submitted, with a warning: it may still work           |
 * | the name of the old storage account, or another subscription's id    | left for a person: such names mean nothing else        |
 * | the name of the old resource group or workspace, as such             | left for a person                                      |
 * | that name as any other word                                          | submitted, with a warning: `data` may mean anything    |
 */
import { rewriteReference, sameName, sameWorkspace, type ReferenceMapping } from '../../azure/ids.ts';
import { secretsIn } from '../../azure/body/secret-texts.ts';

/** A risk in a text. */
export interface Risk {
  /** What it is about, as it may be shown: never a secret. */
  value: string;
  reason: string;
}

/** The risks in a text. */
export interface Risks {
  /** Why the job must not be submitted. */
  unmapped: Risk[];
  /** What a person should know of the job that is submitted. */
  warnings: Risk[];
}

/** `keys`: the names on the way to the text. What the service fills in (`${{…}}`) is nobody's name. */
export function risksIn(text: string, keys: readonly string[], mapping: ReferenceMapping): Risks {
  const risks: Risks = { unmapped: [], warnings: [] };
  if (sameWorkspace(mapping.from, mapping.to)) return risks;
  const words = text.match(/(?:\$\{\{[^}]*\}\}|[^\s"'`,;=()<>|[\]{}])+/g) ?? [];
  for (const word of words.length > 1 ? words : []) {
    const { changed, unmapped } = rewriteReference(word, mapping);
    if (changed || unmapped !== undefined)
      risks.unmapped.push({ value: word, reason: 'it stands within other text, which is not rewritten' });
  }
  if (keys.at(-1) !== 'uri') addSecrets(risks, isSetting(keys) ? `${keys.at(-1)}=${text}` : text, mapping);
  if (risks.unmapped.length === 0 && isFree(keys)) addNames(risks, text, keys, mapping);
  return risks;
}

function addSecrets(risks: Risks, text: string, mapping: ReferenceMapping): void {
  const old = oldAccounts(mapping);
  for (const { what, account, isStorage } of secretsIn(text)) {
    if (!isStorage) risks.warnings.push({ value: what, reason: `it holds ${what}, as it is` });
    else if (account === undefined)
      risks.unmapped.push({ value: what, reason: `it holds ${what}, and nothing says of which account` });
    else if (old.some((name) => sameName(name, account)))
      risks.unmapped.push({
        value: what,
        reason: `it holds ${what} of the old storage account "${account}"`,
      });
    else risks.warnings.push({ value: what, reason: `it holds ${what} of account "${account}", as it is` });
  }
}

function addNames(risks: Risks, text: string, keys: readonly string[], mapping: ReferenceMapping): void {
  const { from, to } = mapping;
  const variable = isVariable(keys) ? `${keys.at(-1)}=${text}` : text;
  for (const name of oldAccounts(mapping))
    if (holds(variable, name))
      risks.unmapped.push({ value: name, reason: `it names the old storage account "${name}"` });
  if (!sameName(from.subscriptionId, to.subscriptionId) && holds(text, from.subscriptionId))
    risks.unmapped.push({ value: from.subscriptionId, reason: 'it names the old subscription' });
  for (const [what, name, other, calls] of [
    ['resource group', from.resourceGroup, to.resourceGroup, String.raw`resource[-_ ]?groups?(?:[-_ ]?name)?|rg|-g`],
    ['workspace', from.name, to.name, String.raw`workspaces?(?:[-_ ]?name)?|ws|-w`],
  ] as const) {
    if (sameName(name, other) || !holds(text, name)) continue;
    const isCalledSo = new RegExp(String.raw`(?<![a-z])(?:${calls})["']?[\s=:/]+["']?${escape(name)}(?![\w-])`, 'i');
    // A variable or an input that is the name and nothing else was given to be used as that.
    const isWhole = sameName(text.trim(), name) || isCalledSo.test(variable);
    const reason = isVariable(keys) ? `an environment variable names the old ${what}` : `it names the old ${what}`;
    (isWhole ? risks.unmapped : risks.warnings).push({ value: name, reason: `${reason} "${name}"` });
  }
}

/** Names of the accounts of the old workspace that the standby does not read too. */
function oldAccounts({ storage }: ReferenceMapping): string[] {
  return storage
    .filter(({ from, to, kept = [] }) => !sameName(from, to) && kept.length === 0)
    .map(({ account }) => account);
}

/** Text that means what its owner says: programs read it, not Azure. */
function isFree(keys: readonly string[]): boolean {
  const key = keys.at(-1) ?? '';
  return ['command', 'args', 'value'].includes(key) || isVariable(keys) || isSetting(keys);
}

function isVariable(keys: readonly string[]): boolean {
  return keys.includes('environmentVariables') || keys.includes('environment_variables');
}

/** Spark's settings, whose names may name an account: `spark.hadoop.fs.azure.account.key.{account}.dfs.…`. */
function isSetting(keys: readonly string[]): boolean {
  return keys.at(-2) === 'conf';
}

function holds(text: string, name: string): boolean {
  return name !== '' && new RegExp(String.raw`(?<![\w-])${escape(name)}(?![\w-])`, 'i').test(text);
}

function escape(name: string): string {
  return name.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`);
}
