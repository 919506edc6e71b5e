import { z } from 'zod';

/** Accepts a boolean, or a text that says one: the environment has texts only. */
export const flag = z.coerce.string().pipe(z.stringbool('must be true or false'));

/** Accepts a whole number, or a text that contains one. `range` is the message for anything else. */
export function whole(least: number, most: number, range: string) {
  const asNumber = (given: unknown) => (typeof given === 'string' && given.trim() !== '' ? Number(given) : given);
  return z.preprocess(asNumber, z.number(range).int(range).min(least, range).max(most, range));
}
