import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { JsonObject } from '../../../simulator/contract/index.ts';
import { text } from '../machinelearning/fixture.ts';
import { ExecutingWorkspace, isAlive } from './executing.ts';

let workspace: ExecutingWorkspace;

beforeAll(async () => {
  workspace = await ExecutingWorkspace.start();
  await workspace.code('scripts', { 'count.sh': 'echo counted "$@"', 'lib/word.txt': 'deep' });
}, 60_000);
afterAll(() => workspace?.azure.close());

const folderInput = (path: string, more: JsonObject = {}): JsonObject => ({
  jobInputType: 'uri_folder',
  uri: `azureml://datastores/workspaceblobstore/paths/${path}`,
  ...more,
});

describe('a command job', () => {
  it('has its code, inputs and environment, and leaves its outputs and its log', async () => {
    await workspace.write('data/a.txt', 'one');
    await workspace.write('data/deep/b.bin', Buffer.from([0, 255, 10]));
    await workspace.azure.put(`${workspace.id}/data/table/versions/3`, {
      properties: {
        dataType: 'uri_file',
        dataUri: 'azureml://datastores/workspaceblobstore/paths/data/a.txt',
      },
    });
    const name = await workspace.submit('whole', {
      codeId: `${workspace.id}/codes/scripts/versions/1`,
      command: [
        'bash count.sh ${{inputs.rate}} $[[--missing ${{inputs.absent}}]]',
        'cat lib/word.txt "${{inputs.file}}" > "${{outputs.result}}/joined.txt"',
        'cp "${{inputs.folder}}/deep/b.bin" "$AZURE_ML_OUTPUT_result/sub-b.bin"',
        'echo "$AZUREML_RUN_ID in $AZUREML_ARM_WORKSPACE_NAME: $COLOUR ${SECRET:-unset}"',
        'mkdir -p outputs && echo kept > outputs/artifact.txt',
        'echo to-stderr >&2',
      ].join(' && '),
      environmentVariables: { COLOUR: 'blue' },
      inputs: {
        rate: { jobInputType: 'literal', value: '0.5' },
        file: { jobInputType: 'uri_file', uri: `${workspace.id}/data/table/versions/3` },
        folder: folderInput('data'),
      },
      outputs: { result: { jobOutputType: 'uri_folder', mode: 'Upload' } },
    });
    expect([await workspace.ends(name), await workspace.log(name)]).toEqual([
      'Completed',
      'counted 0.5\nwhole in runs-east: blue unset\nto-stderr\n',
    ]);
    expect(await workspace.files('azureml/whole/result/')).toEqual(['joined.txt', 'sub-b.bin']);
    expect(await workspace.read('azureml/whole/result/joined.txt')).toBe('deepone');
    const details = await workspace.details(name);
    expect(details).toMatchObject({ status: 'Completed', startTimeUtc: expect.any(String) });
    const address = text((details.logFiles as JsonObject)['user_logs/std_log.txt']);
    expect((await workspace.azure.send('GET', address)).body.text).toContain('counted 0.5');
  });

  it('finds python where the machine has python3 alone', async () => {
    const print = 'import sys; print(sys.executable)';
    const python3 = execFileSync('python3', ['-c', print], { encoding: 'utf8' }).trim();
    const programs = mkdtempSync(join(tmpdir(), 'programs-'));
    symlinkSync(python3, join(programs, 'python3'));
    symlinkSync(execFileSync('which', ['bash'], { encoding: 'utf8' }).trim(), join(programs, 'bash'));
    const path = process.env.PATH;
    process.env.PATH = programs;
    try {
      await workspace.submit('bare', { command: 'python -c "print(6 * 7)"' });
      expect([await workspace.ends('bare'), await workspace.log('bare')]).toEqual(['Completed', '42\n']);
    } finally {
      process.env.PATH = path;
      rmSync(programs, { recursive: true });
    }
  });

  it('fails by its exit code, and says so', async () => {
    await workspace.submit('failing', { command: 'echo about to fail; exit 3' });
    expect(await workspace.ends('failing')).toBe('Failed');
    const { error } = (await workspace.details('failing')) as { error: { error: JsonObject } };
    expect(error.error.message).toContain('exited with code 3');
    expect(await workspace.log('failing')).toBe('about to fail\n');
  });

  it.each([
    [
      'a file that is not there',
      { inputs: { x: { ...folderInput('none.csv'), jobInputType: 'uri_file' } } },
      'none.csv',
    ],
    ['a binding of another kind', { command: 'cat ${{parent.inputs.other}}' }, '${{parent.inputs.other}}'],
    ['data outside the cloud', { inputs: { x: folderInput('', { uri: 'https://example.org/x' }) } }, 'example.org'],
    ['code without files', { codeId: 'azureml:empty:1' }, 'no files'],
  ])('fails for %s', async (_, body, said) => {
    await workspace.azure.put(`${workspace.id}/codes/empty/versions/1`, {
      properties: { codeUri: 'azureml://datastores/workspaceblobstore/paths/code/empty' },
    });
    const name = `refused-${said.replace(/\W/g, '')}`;
    await workspace.submit(name, { command: 'true', ...body });
    expect(await workspace.ends(name)).toBe('Failed');
    const { error } = (await workspace.details(name)) as { error: { error: JsonObject } };
    expect(error.error.message).toContain(said);
  });

  it('shows its log and its checkpoints while it runs, none half written, and is ended with all its processes', async () => {
    await workspace.submit('long', {
      command: [
        'sleep 1000 & echo child $!',
        'cd ${{outputs.checkpoints}}',
        'echo one > step-1.json',
        'echo partial > growing',
        'while true; do echo more >> growing; sleep 0.05; done',
      ].join('; '),
      outputs: {
        checkpoints: {
          jobOutputType: 'uri_folder',
          mode: 'ReadWriteMount',
          uri: 'azureml://datastores/workspaceblobstore/paths/steps/${{name}}/',
        },
      },
    });
    await vi.waitFor(async () => expect(await workspace.files('steps/long/')).toContain('step-1.json'), 10_000);
    expect((await workspace.job('long')).status).toBe('Running');
    const child = Number(/child (\d+)/.exec((await workspace.log('long')) ?? '')?.[1]);
    expect(isAlive(child)).toBe(true);
    expect(await workspace.files('steps/long/')).not.toContain('growing');
    await workspace.azure.arm('POST', `${workspace.id}/jobs/long/cancel`);
    expect(await workspace.ends('long')).toBe('Canceled');
    await vi.waitFor(() => expect(isAlive(child)).toBe(false), 10_000);
    expect(await workspace.files('steps/long/')).toEqual(['step-1.json']);
  });

  it('is shut out of a storage account whose keys are others now, until the workspace has them', async () => {
    const output = {
      jobOutputType: 'uri_folder',
      uri: `azureml://datastores/workspaceblobstore/paths/shut/`,
    };
    await workspace.submit('shut-out', {
      command: 'while sleep 0.1; do [ -e "$HOME/rotated" ] && echo late > ${{outputs.o}}/late; done',
      outputs: { o: output },
      limits: { jobLimitsType: 'Command', timeout: 'PT3S' },
    });
    await workspace.reaches('shut-out', 'Running');
    const { storageAccount } = await workspace.workspaceProperties();
    const rotated = await workspace.azure.arm('POST', `${text(storageAccount)}/regenerateKey?api-version=2023-05-01`, {
      keyName: 'key1',
    });
    expect(rotated.status).toBe(200);
    const { workFolder } = workspace.azure.running.cloud;
    for (const home of readdirSync(workFolder)) writeFileSync(join(workFolder, home, 'rotated'), '');
    await workspace.submit('late', { command: 'echo late > ${{outputs.o}}/late', outputs: { o: output } });
    expect(await workspace.ends('late')).toBe('Failed');
    const { error } = (await workspace.details('late')) as { error: { error: JsonObject } };
    expect(error.error.message).toContain('AuthenticationFailed');
    expect(await workspace.ends('shut-out')).toBe('Canceled');
    expect(await workspace.files('shut/')).toEqual([]);
    await workspace.azure.settle(await workspace.azure.arm('POST', `${workspace.id}/resyncKeys`));
    await workspace.submit('again', { command: 'echo again > ${{outputs.o}}/again', outputs: { o: output } });
    expect(await workspace.ends('again')).toBe('Completed');
    expect(await workspace.files('shut/')).toEqual(['again']);
  });

  it('is ended at its limit', async () => {
    await workspace.submit('limited', {
      command: 'sleep 1000',
      limits: { jobLimitsType: 'Command', timeout: 'PT1S' },
    });
    expect(await workspace.ends('limited')).toBe('Canceled');
  });

  it('waits for a node, and takes it when another ends', async () => {
    await workspace.compute('single', 1, { 'local-azure-execute': 'true' });
    const computeId = `${workspace.id}/computes/single`;
    await workspace.submit('first', { command: 'sleep 1000', computeId });
    await workspace.reaches('first', 'Running');
    await workspace.submit('second', { command: 'echo second', computeId });
    await workspace.reaches('second', 'Queued');
    await workspace.azure.arm('POST', `${workspace.id}/jobs/first/cancel`);
    expect(await workspace.ends('second')).toBe('Completed');
    const [first, second] = await Promise.all([workspace.details('first'), workspace.details('second')]);
    expect(Date.parse(text(second.startTimeUtc))).toBeGreaterThanOrEqual(Date.parse(text(first.endTimeUtc)));
  });

  it('lives by the clock on a compute that does not say that it executes', async () => {
    await workspace.compute('plain', 1, { 'local-azure-execute': 'no' });
    await workspace.submit('simulated', {
      command: 'exit 1',
      computeId: `${workspace.id}/computes/plain`,
      properties: {
        'simulator.prepareSeconds': '0',
        'simulator.queueSeconds': '0',
        'simulator.runSeconds': '0',
      },
    });
    expect(await workspace.ends('simulated')).toBe('Completed');
    expect(await workspace.log('simulated')).toBeUndefined();
  });

  it('is canceled in the queue, and fails with its compute', async () => {
    await workspace.compute('passing', 1, { 'local-azure-execute': 'true' });
    const computeId = `${workspace.id}/computes/passing`;
    await workspace.submit('homeless', { command: 'echo pid $$; sleep 1000', computeId });
    await workspace.submit('waiting', { command: 'true', computeId });
    const started = await vi.waitFor(
      async () =>
        /pid (\d+)/.exec((await workspace.log('homeless')) ?? '')?.[1] ?? Promise.reject(new Error('no log yet')),
      10_000,
    );
    await workspace.azure.arm('POST', `${workspace.id}/jobs/waiting/cancel`);
    expect(await workspace.ends('waiting')).toBe('Canceled');
    await workspace.azure.settle(await workspace.azure.arm('DELETE', `${computeId}?underlyingResourceAction=Delete`));
    expect(await workspace.ends('homeless')).toBe('Failed');
    await vi.waitFor(() => expect(isAlive(Number(started))).toBe(false), 10_000);
  });
});
