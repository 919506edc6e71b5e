import { type Discovery, type Listener, Told } from './discovery.ts';

/** Addresses that this process itself learns and forgets, such as those of services it started. */
export class LiveAddresses implements Discovery {
  #told: Told | undefined;
  #addresses: readonly string[];

  constructor(addresses: readonly string[] = []) {
    this.#addresses = addresses;
  }

  set(addresses: readonly string[]): void {
    this.#addresses = addresses;
    this.#told?.tell(addresses);
  }

  watch(listener: Listener): void {
    this.#told = new Told(listener);
    this.#told.tell(this.#addresses);
  }

  dead(_address: string): void {}

  stop(): void {
    this.#told = undefined;
  }
}
