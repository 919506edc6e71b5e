import { messageOf, refusal } from '../errors/index.ts';
import type { Log } from '../telemetry/index.ts';

/** Logs once when a broker becomes unreachable, and once when it is reachable again. */
export class BrokerReachability {
  #reached: boolean | undefined;
  private readonly address: string;
  private readonly log: Log;
  /** The module whose calls the broker carries. Absent for events. */
  private readonly module: string | undefined;

  constructor(address: string, log: Log, module?: string) {
    this.address = address;
    this.log = log;
    this.module = module;
  }

  lost(error: unknown): void {
    if (this.#reached !== false) {
      const { address: broker, module } = this;
      const cure = 'start the broker, or correct its address';
      const effect = module ? 'no calls come by it' : 'events wait';
      const fields = { broker, ...(module && { module }), why: messageOf(error), cure };
      this.log.error(fields, `the broker cannot be reached; ${effect}, and it is tried again`);
    }
    this.#reached = false;
  }

  reached(): void {
    if (this.#reached === false) this.log.warn({ broker: this.address }, 'the broker is reached again');
    this.#reached = true;
  }

  /** Returns the error of deliveries to an unreachable broker. The relay waits and retries, and counts no failure of the event. */
  refusal(error?: unknown): Error {
    return refusal('unavailable', `the broker ${this.address} cannot be reached`, {}, { cause: error });
  }
}
