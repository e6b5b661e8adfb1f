/** Something that its user can mend: names the file, the place in it, what is there and what should be. */
export class LoadError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'LoadError';
  }
}
