import { describe, expect, it } from 'vitest';
import { diffConfig } from '../../src/config-files/diff.ts';
import { rewriteConfig } from '../../src/config-files/rewrite.ts';
import { isSecretKey, maskText } from '../../src/config-files/secrets.ts';
import { armId, mapping } from './mapping.ts';

const pem = '-----BEGIN RSA PRIVATE KEY-----\ncanary\ncanary==\n-----END RSA PRIVATE KEY-----';

describe('secrets', () => {
  it.each([
    'API_KEY',
    'apiKey',
    'primaryKey',
    'account-key',
    'clientSecret',
    'DB_PASSWORD',
    'PGPASSWORD',
    'HF_TOKEN',
    'AZURE_STORAGE_CONNECTION_STRING',
    'connectionString',
    'SAS',
    'sig',
    'credentials',
    'accountkey',
    'APIKEY',
  ])('knows the key %s', (key) => expect(isSecretKey(key)).toBe(true));

  it.each([
    'key_vault',
    'keyVaultId',
    'KEY_VAULT_URL',
    'keyboard',
    'monkey',
    'tokenizer',
    'assign',
    'compute',
    'bypass_list',
  ])('does not take %s for one', (key) => expect(isSecretKey(key)).toBe(false));

  it.each([
    '# OLD_API_KEY=canary and canary',
    '// "password": "canary"',
    'run: train --password canary --token=canary -- x',
    'AccountName=a;AccountKey=canary==;EndpointSuffix=x',
    'https://h/c?sv=1&sig=canary%2B&se=2',
    'https://user:canary@h/c',
    'header: Authorization: Bearer canary.canary',
    'x: eyJhbGciOi.eyJzdWIiOi.canary',
    `note: |\n${pem}\n`,
    '{"a": {"secret": "canary \\" canary"}}',
  ])('masks %j in any text, line for line', (text) => {
    const masked = maskText(text);
    expect(masked).not.toContain('canary');
    expect(masked.split('\n')).toHaveLength(text.split('\n').length);
  });

  it.each([
    [
      '.env',
      `A=1\n# password: canary canary\nAPI_KEY=canary # x\nexport DB_PASSWORD="can ary canary"\nPEM='${pem}'\nSCOPE=${armId('east')}\nTOKEN=canary\nSAS_URL=https://stfraudeast.blob.core.windows.net/c?sig=canary\n`,
    ],
    [
      'c.json',
      `{"keys": ["canary", {"x": "canary"}],\n "connectionString": "canary",\n "scope": "${armId('east')}",\n "pem": ${JSON.stringify(pem)},\n "env": {"TOKEN": "canary"}}`,
    ],
    [
      'c.yml',
      `token: &t canary\nother: *t\ncredentials:\n  sas: canary\n  deep: {x: [canary]}\nsecret: >\n  canary\n  canary\nscope: ${armId('east')}\ncmd: run --api-key canary\n`,
    ],
  ])('never shows a secret of %s in a diff, and still shows the change', (file, content) => {
    const result = rewriteConfig({ file, content, mapping });
    const diff = diffConfig({ file, before: content, after: result.content });
    expect(JSON.stringify([diff, result.changes, result.warnings])).not.toMatch(/can ?ary/);
    expect(diff).toContain(armId('west'));
    expect(result.content.split('canary')).toHaveLength(content.split('canary').length);
  });

  it('shows that a secret was rewritten, not what it is', () => {
    const before = 'A=1\nSECRET_URL=https://localhost:8443/east/canary\n';
    const { content, changes } = rewriteConfig({ file: '.env', content: before, mapping });
    const diff = diffConfig({ file: '.env', before, after: content });
    expect(diff).toContain('-SECRET_URL=***\n+SECRET_URL=*** (rewritten)\n');
    expect(changes).toEqual([{ place: 'SECRET_URL', line: 2, from: '***', to: '***' }]);
  });
});
