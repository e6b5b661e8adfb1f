import { describe } from 'vitest';
import { fakeControlStore } from '../fakes/control-store.ts';
import { controlStoreContract } from './contract.ts';

describe('the control store in memory', () => {
  controlStoreContract(() => Promise.resolve(fakeControlStore()));
});
