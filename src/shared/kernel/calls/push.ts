import type { Call, CallSource } from './client.ts';
import { ofKernel } from './kernel-operations.ts';

/** An event in its wire form: a CloudEvents envelope, whose type begins with the publishing module's name. */
interface Pushed {
  readonly type: string;
  readonly json: string;
}

/**
 * Hands events of one publisher to a process that runs the subscriber. Resolves when it has them all; rejects with `unavailable`
 * when nobody answers, and with whatever it refuses them with otherwise.
 */
export function createPush(calls: CallSource): (module: string, events: readonly Pushed[]) => Promise<void> {
  const ways = new Map<string, Call>();
  return async (module, events) => {
    const [publisher = ''] = events[0]!.type.split('.');
    const pair = `${publisher}>${module}`;
    const way = ways.get(pair) ?? calls(ofKernel('receive', module), publisher);
    ways.set(pair, way);
    await way({ events: events.map(({ json }) => json) });
  };
}
