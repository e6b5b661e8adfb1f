/** A vault that fails over answers, and takes no writes. */
import { describe, expect, it } from 'vitest';
import { secretWriter } from '../../src/secrets/write-secret.ts';
import { answerError } from '../../src/azure/errors.ts';

const unavailable = () => answerError('PUT secret', { status: 503, bodyAsText: '', headers: { get: () => undefined } });

function vault({ failing, readable = true }: { failing: number; readable?: boolean }) {
  const asked: string[] = [];
  return {
    asked,
    get: (name: string) => {
      asked.push(`get ${name}`);
      return readable ? Promise.resolve(undefined) : Promise.reject(unavailable());
    },
    set: (name: string) => {
      asked.push(`set ${name}`);
      return asked.filter((each) => each.startsWith('set')).length <= failing
        ? Promise.reject(unavailable())
        : Promise.resolve({ version: '1' });
    },
  };
}

const writer = (of: ReturnType<typeof vault>) => secretWriter(of, new AbortController().signal);

describe('a vault', () => {
  it('that fails for a moment is asked again', async () => {
    expect(await writer(vault({ failing: 1 }))('a', 'x', {})).toEqual({ version: '1' });
  });

  it('that takes no writes is waited for once, and by no secret after it', async () => {
    const readOnly = vault({ failing: 100 });
    const write = writer(readOnly);
    for (const name of ['a', 'b'])
      await expect(write(name, 'x', {})).rejects.toMatchObject({
        code: 'AzureError',
        message: expect.stringContaining('refuses writes') as string,
      });
    expect(readOnly.asked).toEqual(['set a', 'get a', 'set a', 'get a']);
  });

  it('that does not answer at all is unavailable: the step asks it again', async () => {
    await expect(writer(vault({ failing: 100, readable: false }))('a', 'x', {})).rejects.toMatchObject({
      code: 'AzureUnavailable',
    });
  });
});
