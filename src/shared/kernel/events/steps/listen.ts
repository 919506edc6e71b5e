import type { StepOf } from '../../calls/index.ts';
import type { Unit } from '../../database/index.ts';
import type { KernelListener } from '../../telemetry/index.ts';
import type { Effect } from '../subscribed.ts';
import type { Delivery } from './deliver.ts';

interface ListenDependencies {
  readonly module: string;
  readonly listener?: KernelListener | undefined;
}

/** Tells the listener how long the bus took for a batch. Without a listener, there is no such step. */
export const tellDispatched = ({ module, listener }: ListenDependencies): StepOf<Delivery>[] => {
  if (!listener) return [];
  const step: StepOf<Delivery> = (delivery, next) => {
    const { recipient, events } = delivery;
    const delivered = next(delivery);
    whenSettled(delivered, (ms, failed) =>
      listener.dispatched({ module, recipient, events: events.length, ms, failed }),
    );
    return delivered;
  };
  return [step];
};

/** Tells the listener how long the handlers of an event took. Without a listener, there is no such step. */
export const tellHandled = <U extends Unit>({ module, listener }: ListenDependencies): StepOf<Effect<U>>[] => {
  if (!listener) return [];
  const step: StepOf<Effect<U>> = (effect, next) => {
    const { type } = effect.envelope;
    const handled = next(effect);
    whenSettled(handled, (ms, failed) => listener.handled({ module, type, ms, failed }));
    return handled;
  };
  return [step];
};

function whenSettled(work: Promise<unknown>, tell: (ms: number, failed: boolean) => void): void {
  const startedAt = performance.now();
  const settled = (failed: boolean) => tell(performance.now() - startedAt, failed);
  work.then(
    () => settled(false),
    () => settled(true),
  );
}
