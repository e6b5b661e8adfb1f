/** Something that its user can mend: names the file, the place in it, what is there and what should be. */
export class LoadError extends Error {
  /** 2: the input is wrong. */
  readonly exitCode: 1 | 2 = 2;
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'LoadError';
  }
}

/** Azure refused, or answered what it should not; what was made before stays, and a rerun goes on from there. */
export class AzureFailure extends Error {
  readonly exitCode: 1 | 2 = 1;
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'AzureFailure';
  }
}
