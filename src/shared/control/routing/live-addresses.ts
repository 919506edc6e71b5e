import { type Discovery, LastAddresses, type Listener } from '../../kernel/ports/index.ts';

/** Returns a discovery of fixed addresses. Each address must be in its one spelling. */
export function staticAddresses(addresses: readonly string[]): Discovery {
  return {
    watch: (listener) => new LastAddresses(listener).tell(addresses),
    dead() {},
    stop() {},
  };
}

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
