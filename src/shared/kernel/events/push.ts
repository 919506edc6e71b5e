import { type Call, type CallSource, ofKernel } from '../calls/index.ts';

/** An event in its wire form: a CloudEvents envelope, whose type begins with the publishing module's name. */
interface Pushed {
  readonly type: string;
  readonly json: string;
}

/**
 * Returns a function that delivers events of one publisher to a process that runs the subscriber. It resolves when the subscriber
 * has all events. It rejects with `unavailable` when no process answers, and otherwise with the subscriber's refusal.
 */
export function createPush(calls: CallSource): (module: string, events: readonly Pushed[]) => Promise<void> {
  const ways = new Map<string, Call>();
  return async (module, events) => {
    // A delivery has at least one event.
    const [publisher = ''] = events[0]!.type.split('.');
    const pair = `${publisher}>${module}`;
    const way = ways.get(pair) ?? calls(ofKernel('receive', module), publisher);
    ways.set(pair, way);
    await way({ events: events.map(({ json }) => json) });
  };
}
