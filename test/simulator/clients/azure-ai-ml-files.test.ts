import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findClient } from './find-clients.ts';
import { startPythonCloud, type PythonCloud } from './python-cloud.ts';

const client = findClient('azure-ai-ml');
const here = dirname(fileURLToPath(import.meta.url));

describe.skipIf(client === undefined)('outputs that are files', () => {
  let cloud: PythonCloud;
  beforeAll(async () => {
    cloud = await startPythonCloud();
  }, 60_000);
  afterAll(() => cloud.close());

  it('are downloaded by azure-ai-ml, of a command and of a pipeline', async () => {
    const { arm } = cloud.fixture.running.address;
    const metadata = { ARM_CLOUD_METADATA_URL: `${arm}/metadata/endpoints?api-version=2019-05-01` };
    const script = [join(here, 'azure_ai_ml_files.py'), join(cloud.folder, 'files')];
    const output = await cloud.run(client?.program ?? '', script, metadata);
    expect(JSON.parse(output.trim().split('\n').at(-1) ?? '')).toEqual({
      'command named': ['hi\n'],
      'command all': ['hi\n'],
      'pipeline named': ['hi\n'],
      'pipeline all': ['hi\n'],
    });
  }, 180_000);
});
