import { type Discovery, LastAddresses, type Listener } from './discovery.ts';

/** Holds addresses that this process itself adds and removes, such as the addresses of module processes that it started. */
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
