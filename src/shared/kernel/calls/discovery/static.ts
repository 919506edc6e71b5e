import { type Discovery, LastAddresses } from './discovery.ts';

/** The addresses as somebody wrote them down, each in its one spelling. */
export function staticAddresses(addresses: readonly string[]): Discovery {
  return {
    watch: (listener) => new LastAddresses(listener).tell(addresses),
    dead() {},
    stop() {},
  };
}
