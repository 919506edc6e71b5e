import { begin } from './steps/begin.ts';
import { bulkhead } from './steps/bulkhead.ts';
import { faults, observe } from './steps/hooks.ts';
import { instance } from './steps/instance.ts';
import { retry } from './steps/retry.ts';
import { route } from './steps/route.ts';
import type { Next, RoadStep } from './transport.ts';

/**
 * The road of a call: all its steps, in their order. A step is a function `(call, next)`. Each part of the road is composed once,
 * not for each call.
 */
export const road = {
  /** The way of every call, in its caller's process. A module of this process serves the call at the end (`in-process.ts`). */
  caller: [begin, observe, route],
  /** The way to a module in another process (`routing/upstream.ts`), for each caller and operation. */
  upstream: [bulkhead, retry, instance],
  /** The way of an attempt to one instance. A transport sends it at the end (`wire-transport.ts`). */
  link: [faults],
};

/** Makes a step for one place. Returns undefined when the place does not need the step. */
type MakeStep<Place> = (place: Place) => RoadStep | undefined;

/** Composes a part of the road for `place`. `end` takes the calls that pass all its steps. */
export function compose<Place>(steps: readonly MakeStep<Place>[], place: Place, end: Next = endless): Next {
  return steps.flatMap((make) => make(place) ?? []).reduceRight<Next>((next, step) => (call) => step(call, next), end);
}

/** The last step of a part that needs no `end` sends the call on itself. */
const endless: Next = () => Promise.reject(new Error('the road has no end'));
