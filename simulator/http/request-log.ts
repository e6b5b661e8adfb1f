/** The last requests, for tests to judge by. */

export interface LoggedRequest {
  /** Counts up from 1; `GET /requests?since=` takes it. */
  sequence: number;
  /** Real time. */
  at: string;
  listener: string;
  method: string;
  path: string;
  /** null: the client had no answer. */
  status: number | null;
}

const KEPT = 5000;

export class RequestLog {
  private entries: LoggedRequest[] = [];
  private sequence = 0;

  add(listener: string, method: string, path: string, status: number | null): void {
    this.sequence += 1;
    this.entries.push({
      sequence: this.sequence,
      at: new Date().toISOString(),
      listener,
      method,
      path,
      status,
    });
    if (this.entries.length > 2 * KEPT) this.entries = this.entries.slice(-KEPT);
  }

  since(sequence: number): LoggedRequest[] {
    return this.entries.slice(-KEPT).filter((entry) => entry.sequence > sequence);
  }
}
