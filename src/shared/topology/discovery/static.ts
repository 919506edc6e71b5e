import { readAddress } from './address.ts';
import { type Discovery, Told } from './discovery.ts';

/** The addresses as somebody wrote them down. Throws a `StartError` when one of them is none. */
export function staticAddresses(addresses: readonly string[]): Discovery {
  const known = addresses.map((address) => readAddress(address));
  return {
    watch: (listener) => new Told(listener).tell(known),
    dead() {},
    stop() {},
  };
}
