import { isDeepStrictEqual } from 'node:util';
import type { ContractDescription, Shape } from './describe.ts';
import { misfits } from './misfits.ts';

/**
 * What would break when a release whose contract is `after` takes the place of one whose contract is `before`, while its callers
 * and subscribers stay: a line for each, such as `payments.authorize input.amount: it must be there now`. Nothing when nothing
 * would.
 */
export function incompatibilities(before: ContractDescription, after: ContractDescription): string[] {
  const { name } = before;
  if (after.name !== name) return [`it is the contract of "${after.name}", not of "${name}"`];
  return [
    ...Object.entries(before.operations).flatMap(([operation, was]) => {
      const is = after.operations[operation];
      const where = `${name}.${operation}`;
      if (!is) return [`${where}: it is gone`];
      if (is.kind !== was.kind) return [`${where}: it was a ${was.kind} and is a ${is.kind}`];
      // Callers send what they know, and take what they know.
      return [...fits(is.input, was.input, `${where} input`), ...fits(was.output, is.output, `${where} output`)];
    }),
    ...Object.entries(before.events).flatMap(([type, was]) => {
      const is = after.events[type];
      if (!is) return [`${type}: it is published no more`];
      if (is.key !== was.key) return [`${type}: its order was kept by ${was.key}, and is by ${is.key}`];
      return fits(was.data, is.data, `${type} data`);
    }),
    ...Object.keys(after.errors)
      .filter((code) => !Object.hasOwn(before.errors, code))
      .map((code) => `${name}: callers do not know the error "${code}", and would meet it as internal`),
  ];
}

/** What is sent as `sender` says must be taken as `taker` says. */
function fits(taker: Shape, sender: Shape, where: string): string[] {
  if (isDeepStrictEqual(taker, sender)) return [];
  return misfits({ wide: taker.taken, narrow: sender.sent }).map(
    ({ path, what }) => `${[where, ...path].join('.')}: ${what}`,
  );
}
