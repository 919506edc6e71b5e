import type { StepOf } from '../../calls/index.ts';
import { type Clock, withinLimit } from '../../context/index.ts';
import type { Unit } from '../../database/index.ts';
import type { InHand } from '../in-hand.ts';
import { type Effect, NotTaken, type Subscribed } from '../subscribed.ts';

type EffectStep<U extends Unit> = StepOf<Effect<U>>;

/** Writes the event into the crash note of the database while its handler runs. If it ends the process, the next process counts a failure. */
export const noteInHand =
  <U extends Unit>({ inHand }: { readonly inHand: InHand }): EffectStep<U> =>
  async (effect, next) => {
    inHand.begin(effect.envelope);
    try {
      await next(effect);
    } finally {
      inHand.end(effect.envelope);
    }
  };

/** Time limit of a handler, in milliseconds. It is shorter than the limit of a unit of work, so that the handler ends first. */
const handlerLimitMs = 4_000;

/**
 * Cuts off a handler after 4 s: its unit is then rolled back, and refuses further work of the handler. Throws a `NotTaken`, with the
 * reason, when the module does not take the event.
 */
export const withinTime =
  <U extends Unit>({ module, clock }: { readonly module: string; readonly clock: Clock }): EffectStep<U> =>
  async (effect, next) => {
    const within = `within ${handlerLimitMs / 1_000} s: a handler may wait only for its own database`;
    const late = () => new Error(`${module} did not take ${effect.envelope.type} ${within}`);
    try {
      await withinLimit(clock, handlerLimitMs, late, () => next(effect));
    } catch (reason) {
      throw new NotTaken(reason);
    }
  };

/** Calls the handlers of the event. The last step of its part. */
export const handle =
  <U extends Unit>({ subscribed }: { readonly subscribed: Subscribed<U> }): EffectStep<U> =>
  (effect) =>
    subscribed.handle(effect);
