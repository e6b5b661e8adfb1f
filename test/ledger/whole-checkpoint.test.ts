/** Which checkpoint of a folder is whole: the layouts that frameworks write, met in the midst of it. */
import { describe, expect, it } from 'vitest';
import { CheckpointScan } from '../../src/ledger/whole-checkpoint.ts';

const minute = (at: number) => new Date(Date.UTC(2026, 10, 21, 10, at)).toISOString();
/** When the listing began, less the quiet time of five minutes. */
const quietSince = minute(55);

type File = [path: string, writtenAtMinute: number, sizeBytes?: number];

function choose(files: readonly File[], options: { complete?: string; unsteady?: [string, boolean][] } = {}) {
  const scan = new CheckpointScan({ complete: options.complete, quietSince });
  for (const [path, at, sizeBytes = 100] of files) scan.add({ path, sizeBytes, writtenAt: minute(at) });
  for (const [path, copied] of options.unsteady ?? []) scan.unsteady(path, copied);
  return scan.choose();
}

/** A checkpoint as transformers writes it; the state of the trainer last. */
const folder = (step: number, at: number): File[] => [
  [`checkpoint-${step}/model-00001-of-00002.safetensors`, at],
  [`checkpoint-${step}/model-00002-of-00002.safetensors`, at],
  [`checkpoint-${step}/optimizer.pt`, at],
  [`checkpoint-${step}/trainer_state.json`, at],
];

describe('files, one a checkpoint', () => {
  it('are whole as soon as they are there, and the newest is taken', () => {
    expect(
      choose([
        ['step-9.json', 58],
        ['step-10.json', 59],
      ]),
    ).toEqual({
      whole: { name: 'step-10', writtenAt: minute(59), lastFile: 'step-10.json', files: 2, leave: [] },
    });
  });

  it('within one second the higher number is the newer', () => {
    expect(
      choose([
        ['step-10.json', 59],
        ['step-9.json', 59],
      ]).whole?.name,
    ).toBe('step-10');
  });

  it('by a name under which it is written before it is renamed, is none', () => {
    const { whole } = choose([
      ['step-9.json', 57],
      ['step-10.json.tmp', 59, 9000],
    ]);
    expect(whole).toMatchObject({ name: 'step-9', files: 1, leave: ['step-10.json.tmp'] });
  });

  it('that lacks what the one before has is passed over', () => {
    const files: File[] = [
      ['ckpt-1.index', 50],
      ['ckpt-1.data-00000-of-00001', 50],
      ['ckpt-2.data-00000-of-00001', 51],
    ];
    expect(choose(files)).toEqual({
      whole: { name: 'ckpt-1', writtenAt: minute(50), lastFile: 'ckpt-1.index', files: 2, leave: ['ckpt-2'] },
      passedOver: { name: 'ckpt-2', why: 'it lacks files that "ckpt-1" has (1 like ckpt-1.index)' },
    });
  });
});

describe('folders, one a checkpoint', () => {
  it('half of one is passed over for the one before, and left behind', () => {
    const half = folder(600, 59).slice(0, 1);
    expect(choose([...folder(500, 40), ...half, ['config.json', 1]])).toEqual({
      whole: {
        name: 'checkpoint-500',
        writtenAt: minute(40),
        lastFile: 'checkpoint-500/trainer_state.json',
        files: 5,
        leave: ['checkpoint-600'],
      },
      passedOver: {
        name: 'checkpoint-600',
        why: expect.stringContaining('it lacks files that "checkpoint-500" has') as string,
      },
    });
  });

  it('the first one, just written, may lack anything', () => {
    expect(choose(folder(500, 59))).toEqual({
      passedOver: { name: 'checkpoint-500', why: expect.stringContaining('just been written') as string },
    });
    expect(choose(folder(500, 55)).whole?.name).toBe('checkpoint-500');
  });

  it('one is whole once the next is begun', () => {
    const { whole, passedOver } = choose([...folder(500, 57), ...folder(600, 59)]);
    expect(whole).toMatchObject({ name: 'checkpoint-500', files: 4, leave: ['checkpoint-600'] });
    expect(passedOver?.name).toBe('checkpoint-600');
  });

  it('one that grew while it was copied is not, however calm it looks', () => {
    const { whole, passedOver } = choose([...folder(500, 20), ...folder(600, 40)], {
      unsteady: [['checkpoint-600/optimizer-2.pt', false]],
    });
    expect(whole?.name).toBe('checkpoint-500');
    expect(passedOver?.why).toBe('it was being written while it was copied');
  });

  it('logs next to them are no checkpoints, though their names have numbers, and go along', () => {
    const { whole } = choose([...folder(500, 40), ['runs/events.1', 59], ['events.out.tfevents.170.host', 59, 10]]);
    expect(whole).toMatchObject({ name: 'checkpoint-500', writtenAt: minute(40), files: 6, leave: [] });
  });
});

describe('a declared last file', () => {
  it('in its folder makes that whole at once, and another is not without it', () => {
    const files = [...folder(500, 58), ...folder(600, 59).slice(0, 3), ['logs-1/a', 59, 9999] as File];
    expect(choose(files, { complete: '*/trainer_state.json' })).toEqual({
      whole: {
        name: 'checkpoint-500',
        writtenAt: minute(58),
        lastFile: 'checkpoint-500/trainer_state.json',
        files: 5,
        leave: ['checkpoint-600'],
      },
      passedOver: {
        name: 'checkpoint-600',
        why: 'no file "*/trainer_state.json" says that it is complete',
      },
    });
  });

  it('next to them makes whole what was written by then', () => {
    const files = [...folder(500, 57), ...folder(600, 59), ['latest', 58] as File];
    const { whole, passedOver } = choose(files, { complete: 'latest' });
    expect(whole).toMatchObject({ name: 'checkpoint-500', files: 5, leave: ['checkpoint-600'] });
    expect(passedOver?.why).toBe('no file "latest" says that it is complete');
  });

  it('that is older than other files of its folder is of an earlier writing', () => {
    const files: File[] = [
      ['last/model.bin', 59],
      ['last/trainer_state.json', 50],
    ];
    expect(choose(files, { complete: '*/trainer_state.json' })).toEqual({
      passedOver: { name: 'last', why: 'files of it were written after "*/trainer_state.json"' },
    });
  });

  it('that is nowhere leaves nothing to go on from', () => {
    expect(choose(folder(500, 10), { complete: 'DONE' })).toEqual({
      passedOver: { name: 'checkpoint-500', why: 'no file "DONE" says that it is complete' },
    });
  });
});

describe('a folder that is written over', () => {
  it('is one checkpoint: whole if it is calm, or one file', () => {
    expect(
      choose([
        ['model.pt', 50],
        ['optimizer.pt', 51],
      ]),
    ).toEqual({
      whole: { name: '', writtenAt: minute(51), lastFile: 'optimizer.pt', files: 2, leave: [] },
    });
    expect(
      choose([
        ['model.pt', 50],
        ['optimizer.pt', 59],
      ]).whole,
    ).toBeUndefined();
    expect(choose([['last.ckpt', 59]], { unsteady: [['last.ckpt', true]] }).whole?.lastFile).toBe('last.ckpt');
    expect(choose([['last.ckpt', 59]], { unsteady: [['meta.json', false]] }).whole).toBeUndefined();
  });

  it('is whole by its declared last file', () => {
    const files: File[] = [
      ['model.pt', 58],
      ['optimizer.pt', 58],
      ['DONE', 59],
    ];
    expect(choose(files, { complete: 'DONE' }).whole).toMatchObject({ files: 3, writtenAt: minute(59) });
    expect(choose([...files, ['more.pt', 60]], { complete: 'DONE' }).whole).toBeUndefined();
  });
});

it('an empty folder has none', () => {
  expect(choose([])).toEqual({});
});
