const notSent = Symbol('never sent');
const notAnswered = Symbol('unanswered');
/** Maximum depth of the causes to search. It also ends a cycle of causes. */
const deepest = 8;

/** Marks `error` as the failure of a request that never left this process. The mark stays in this process. */
export function markNotSent<E extends Error>(error: E): E {
  return marked(error, notSent);
}

/** Marks `error` as made by this process because no answer came in time. The mark stays in this process. */
export function markDeliveryUnknown<E extends Error>(error: E): E {
  return marked(error, notAnswered);
}

/** Returns whether `error` or one of its causes is marked by `markNotSent`. */
export function isNotSent(error: unknown): boolean {
  return isMarked(error, notSent);
}

/**
 * Returns whether `error` or one of its causes is marked by `markDeliveryUnknown`. A `timeout` without the mark is an answer, such
 * as of a module whose own callee is late.
 */
export function isDeliveryUnknown(error: unknown): boolean {
  return isMarked(error, notAnswered);
}

function marked<E extends Error>(error: E, mark: symbol): E {
  return Object.defineProperty(error, mark, { value: true });
}

function isMarked(error: unknown, mark: symbol): boolean {
  let each = error;
  for (let depth = 0; depth < deepest && each instanceof Error; depth++) {
    if (mark in each) return true;
    each = each.cause;
  }
  return false;
}
