import type { Msg, NatsConnection, Subscription } from '@nats-io/transport-node';
import { expect, it } from 'vitest';
import { ManualClock } from '../../kernel/context/index.ts';
import { Pull } from './events-pull.ts';

type Callback = (error: Error | null, message: Msg) => void;

/** A server that accepts every request, and answers when the test allows it. */
class SilentServer {
  readonly clock = new ManualClock();
  readonly #closed = Promise.withResolvers<void>();
  #callback: Callback | undefined;

  pull(): Pull {
    const subscription = {
      closed: this.#closed.promise,
      getSubject: () => 'inbox',
      unsubscribe: () => this.#closed.resolve(),
    };
    const connection = {
      publish() {},
      subscribe: (_subject: string, { callback }: { callback: Callback }) => {
        this.#callback = callback;
        return subscription as unknown as Subscription;
      },
    };
    const fails = (error: Error) => {
      throw error;
    };
    const parts = {
      connection: connection as unknown as NatsConnection,
      clock: this.clock,
      arrived() {},
      ended: fails,
    };
    return new Pull({ ...parts, stream: 'shop', consumer: 'mail' });
  }

  /** Ends the validity of the request. */
  requestIsOver(): void {
    this.#callback?.(null, { headers: { code: 408, description: 'Request Timeout' } } as Msg);
  }
}

it('leaves when the server reports the end of the request', async () => {
  const server = new SilentServer();
  const left = server.pull().leave();
  server.requestIsOver();
  await left;
});

it('leaves a silent server after two seconds', async () => {
  const server = new SilentServer();
  let hasLeft = false;
  const left = server
    .pull()
    .leave()
    .then(() => {
      hasLeft = true;
    });
  server.clock.advance(1_999);
  await Promise.resolve();
  expect(hasLeft).toBe(false);
  server.clock.advance(1);
  await left;
});
