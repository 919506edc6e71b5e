/**
 * Learns what the kernel does that leaves no state behind: control counts it. Every method returns at once and does not throw. Times are
 * in milliseconds.
 */
export interface KernelListener {
  /** A call to another process failed and is attempted again. */
  retried(call: { readonly caller: string; readonly module: string; readonly operation: string }): void;
  /** The balancer chose an instance of `module` for an attempt of a call. */
  picked(module: string): void;
  /** The balancer leaves out an instance of `module` that fails. */
  ejected(module: string): void;
  /** The bus took a batch of events from the outbox of `module`, or refused it. */
  dispatched(batch: {
    readonly module: string;
    readonly recipient: string;
    readonly events: number;
    readonly ms: number;
    readonly failed: boolean;
  }): void;
  /** A group of units of work of `module` is on disk. `ms` is the time to write it. */
  committed(group: { readonly module: string; readonly units: number; readonly ms: number }): void;
  /** A saga of `module` ended. */
  sagaEnded(end: { readonly module: string; readonly saga: string; readonly outcome: string }): void;
  /** The handlers of `module` took an event, or failed. */
  handled(event: {
    readonly module: string;
    readonly type: string;
    readonly ms: number;
    readonly failed: boolean;
  }): void;
}
