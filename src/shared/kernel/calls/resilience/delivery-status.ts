const notSent = Symbol('never sent');
const notAnswered = Symbol('unanswered');
/** Deeper causes than this are not looked at; a cycle of them ends here. */
const deepest = 8;

/** Marks `error` as one of a request of which nothing left this process. The mark stays in this process. */
export function markNotSent<E extends Error>(error: E): E {
  return marked(error, notSent);
}

/** Marks `error` as this process's own, for want of an answer in time. The mark stays in this process. */
export function markDeliveryUnknown<E extends Error>(error: E): E {
  return marked(error, notAnswered);
}

/** Whether `error`, or what caused it, is marked by `markNotSent`. */
export function isNotSent(error: unknown): boolean {
  return isMarked(error, notSent);
}

/** Whether `error`, or what caused it, is marked by `markDeliveryUnknown`: a `timeout` that is not is an answer, as of one whose own callee is late. */
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
