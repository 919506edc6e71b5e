import { fromProblem, isProblem, refusal } from '../../errors/index.ts';
import type { ServiceTokens } from '../../identity/index.ts';
import { type Peers, unreachableBecause } from './peers.ts';

const answerWithinMs = 30_000;

/** An event in its wire form: a CloudEvents envelope, whose type begins with the publishing module's name. */
interface Pushed {
  readonly type: string;
  readonly json: string;
}

/**
 * Hands events to the internal listeners of the processes that run their subscribers: `POST /events/{module}`, a CloudEvents
 * batch of one publisher. Resolves on their acceptance; rejects with `unavailable` when nobody answers, and with whatever they
 * refuse it with otherwise.
 */
export function createPush(addressOf: (module: string) => string | undefined, peers: Peers, tokens: ServiceTokens) {
  return async (module: string, events: readonly Pushed[]): Promise<void> => {
    const address = addressOf(module);
    if (!address) throw refusal('unavailable', `${module} cannot be reached`);
    const [publisher] = events[0]!.type.split('.');
    const token = await tokens.issue(publisher!, module);
    const { statusCode, body } = await peers
      .at(address)
      .request({
        method: 'POST',
        path: `/events/${module}`,
        body: `[${events.map(({ json }) => json).join(',')}]`,
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/cloudevents-batch+json' },
        signal: AbortSignal.timeout(answerWithinMs),
      })
      .catch((error: unknown) => {
        throw unreachableBecause(module, error);
      });
    if (statusCode < 300) return void (await body.dump());
    const problem: unknown = await body.json().catch(() => undefined);
    throw isProblem(problem) ? fromProblem(problem) : new Error(`${module} answered ${statusCode}`);
  };
}
