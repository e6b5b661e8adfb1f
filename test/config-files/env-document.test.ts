import { describe, expect, it } from 'vitest';
import { eastSubscription, longUri, westSubscription } from './mapping.ts';
import { changes, errorOf, rewrite } from './rewriting.ts';

describe('.env', () => {
  it('changes the trio by its keys, and keeps quotes, export, comments and spaces', () => {
    const content = [
      '# RESOURCE_GROUP=ml-east',
      `export AZURE_SUBSCRIPTION_ID='${eastSubscription}'`,
      'RESOURCE_GROUP = "ml-east" # ml-east',
      '  AZUREML_WORKSPACE_NAME=fraud-east   # fraud-east',
      'AZUREML_COMPUTE=`gpu-east`',
      'APP_RESOURCE_GROUP=ml-east',
      'NAME=fraud-east',
      'AZURE_LOCATION=eastus',
      `ANY_NAME=${longUri('east', '/datastores/d')}`,
      'URL=https://stfraudeast.blob.core.windows.net/c#x',
      'AZURE_STORAGE_ACCOUNT=stfraudeast',
      'MULTI="line gpu-east',
      'AZUREML_COMPUTE=gpu-east"',
      'EMPTY=',
      'export DECLARED',
    ].join('\r\n');
    expect(changes('.env', content).map(([, line]) => line.trimEnd())).toEqual([
      `export AZURE_SUBSCRIPTION_ID='${westSubscription}'`,
      'RESOURCE_GROUP = "ml-west" # ml-east',
      '  AZUREML_WORKSPACE_NAME=fraud-west   # fraud-east',
      'AZUREML_COMPUTE=`gpu-west`',
      'AZURE_LOCATION=westus3',
      `ANY_NAME=${longUri('west', '/datastores/d')}`,
      'URL=https://stfraudwest.blob.core.windows.net/c#x',
      'AZURE_STORAGE_ACCOUNT=stfraudwest',
    ]);
  });

  it.each([
    ['no trio', 'RESOURCE_GROUP=ml-east\nAZUREML_WORKSPACE_NAME=fraud-east'],
    [
      'another workspace',
      `AZURE_SUBSCRIPTION_ID=${eastSubscription}\nRESOURCE_GROUP=ml-east\nAZUREML_WORKSPACE_NAME=fraud-dev\nAZUREML_COMPUTE=gpu-east`,
    ],
    [
      'one variable with two values',
      `SUBSCRIPTION_ID=${eastSubscription}\nRESOURCE_GROUP=ml-east\nWORKSPACE_NAME=fraud-east\nWORKSPACE_NAME=x`,
    ],
    ['a variable inside', 'AZUREML_URI=azureml://subscriptions/${SUB}/resourcegroups/ml-east/workspaces/fraud-east'],
  ])('leaves %s', (_name, content) => {
    expect(rewrite('.env', content).content).toBe(content);
  });

  it("reads variables of one prefix together, beside another workspace's", () => {
    const family = (prefix: string, name: string): string =>
      `${prefix}SUBSCRIPTION_ID=${eastSubscription}\n${prefix}RESOURCE_GROUP=ml-east\n${prefix}WORKSPACE_NAME=${name}\n${prefix}COMPUTE=gpu-east\n`;
    const lines = changes(
      '.env',
      family('AZUREML_', 'fraud-east') + family('AML_', 'other') + 'RESOURCE_GROUP=ml-east\n',
    );
    expect(lines.map(([line]) => line.split('_')[0])).toEqual(['AZUREML', 'AZUREML', 'AZUREML', 'AZUREML']);
  });

  it.each([
    ['A=1\nnot a line\n', 2, 1],
    ['A="open\nB=2', 1, 3],
    ["A='x' y", 1, 6],
    ['=x', 1, 1],
  ])('says where %j is malformed', (content, line, column) => {
    expect(errorOf(() => rewrite('.env', content))).toMatchObject({ file: '.env', line, column });
  });
});
