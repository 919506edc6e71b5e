import { expect, it } from 'vitest';
import { fixedKeyRing, ServiceTokens } from '../../control/identity/index.ts';
import { sample } from '../calls/sample.cases.ts';
import { Cancellation } from '../context/index.ts';
import { type Outgoing, WireTransport } from './wire-transport.ts';

/** Answers immediately, and records later cancellations. */
class Answering extends WireTransport {
  readonly told: string[] = [];

  protected async send({ input, context }: Outgoing): Promise<unknown> {
    context.cancellation?.onCancel(() => this.told.push('cancelled'));
    return input;
  }

  async close(): Promise<void> {}
}

it('does not listen for a cancellation after the answer', async () => {
  const transport = new Answering(new ServiceTokens(fixedKeyRing('TEST', 'a secret of more than 32 characters')));
  const cancellation = new Cancellation();
  const context = { requestId: 'r', caller: 'other', deadline: Date.now() + 10_000, cancellation };
  const request = { operation: sample.operations.echo as never, input: { text: 'x' }, context };
  expect(await transport.call(request)).toEqual({ text: 'x' });
  cancellation.cancel();
  expect(transport.told).toEqual([]);
});
