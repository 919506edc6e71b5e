import { type Discovery, LastAddresses } from './discovery.ts';

/** Returns a discovery of fixed addresses. Each address must be in its one spelling. */
export function staticAddresses(addresses: readonly string[]): Discovery {
  return {
    watch: (listener) => new LastAddresses(listener).tell(addresses),
    dead() {},
    stop() {},
  };
}
