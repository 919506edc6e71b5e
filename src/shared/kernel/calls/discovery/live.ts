import { type Discovery, LastAddresses, type Listener } from './discovery.ts';

/** Addresses that this process itself learns and forgets, such as those of services it started. */
export class LiveAddresses implements Discovery {
  #told: LastAddresses | undefined;
  #addresses: readonly string[];

  constructor(addresses: readonly string[] = []) {
    this.#addresses = addresses;
  }

  set(addresses: readonly string[]): void {
    this.#addresses = addresses;
    this.#told?.tell(addresses);
  }

  watch(listener: Listener): void {
    this.#told = new LastAddresses(listener);
    this.#told.tell(this.#addresses);
  }

  dead(_address: string): void {}

  stop(): void {
    this.#told = undefined;
  }
}
