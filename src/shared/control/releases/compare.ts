import { isDeepStrictEqual } from 'node:util';
import type { ContractDescription, Shape } from './describe.ts';
import { mismatches } from './mismatches.ts';

/**
 * Compares the contract `before` of a release with the contract `after` of its successor, while callers and subscribers stay the same.
 * Returns one line for each break, such as `payments.authorize input.amount: it must be there now`. Returns an empty list when nothing
 * breaks. A difference that it cannot judge is a line with "unknown", unless `after` accepts it at that place.
 */
export function incompatibilities(before: ContractDescription, after: ContractDescription): string[] {
  const { name } = before;
  if (after.name !== name) return [`it is the contract of "${after.name}", not of "${name}"`];
  const accepted = after.accepted ?? {};
  return breaks(before, after).flatMap(({ where, what }) =>
    what.startsWith('unknown') && Object.hasOwn(accepted, where) ? [] : [`${where}: ${what}`],
  );
}

interface Break {
  readonly where: string;
  readonly what: string;
}

function breaks(before: ContractDescription, after: ContractDescription): Break[] {
  const { name } = before;
  return [
    ...Object.entries(before.operations).flatMap(([operation, was]) => {
      const is = after.operations[operation];
      const where = `${name}.${operation}`;
      if (!is) return [{ where, what: 'it is gone' }];
      if (is.kind !== was.kind) return [{ where, what: `it was a ${was.kind} and is a ${is.kind}` }];
      // Callers still send and accept values by the contract that they know.
      return [
        ...fits(is.input, was.input, `${where} input`),
        ...fits(was.output, is.output, `${where} output`),
        ...slower(was.timeoutMs, is.timeoutMs, where),
      ];
    }),
    ...Object.entries(before.events).flatMap(([type, was]) => {
      const is = after.events[type];
      if (!is) return [{ where: type, what: 'it is published no more' }];
      if (is.key !== was.key) return [{ where: type, what: `its order was kept by ${was.key}, and is by ${is.key}` }];
      return fits(was.data, is.data, `${type} data`);
    }),
    ...Object.entries(after.errors).flatMap(([code, is]): Break[] => {
      const was = Object.hasOwn(before.errors, code) ? before.errors[code] : undefined;
      const what = `callers do not know the error "${code}", and would meet it as internal`;
      return was ? otherError(was, is, `${name} "${code}"`) : [{ where: name, what }];
    }),
  ];
}

type ErrorDescription = ContractDescription['errors'][string];

/** Compares two versions of an error. Callers recognize a refusal by its code, act on its data, and pass its status on. */
function otherError(was: ErrorDescription, is: ErrorDescription, where: string): Break[] {
  if (is.status !== was.status) return [{ where, what: `its status was ${was.status}, and is ${is.status}` }];
  if (!was.data) return [];
  return is.data ? fits(was.data, is.data, `${where} data`) : [{ where, what: 'its data is gone' }];
}

function slower(wasMs: number | undefined, isMs: number | undefined, where: string): Break[] {
  if (wasMs === undefined || isMs === undefined || isMs <= wasMs) return [];
  return [{ where, what: `unknown: it may take ${isMs} ms now, and its callers wait ${wasMs}` }];
}

/** Checks that `taker` accepts every value that `sender` describes. */
function fits(taker: Shape, sender: Shape, where: string): Break[] {
  if (isDeepStrictEqual(taker, sender)) return [];
  return mismatches({ wide: taker.taken, narrow: sender.sent }).map(({ path, what }) => ({
    where: [where, ...path].join('.'),
    what,
  }));
}
