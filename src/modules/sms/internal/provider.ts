import type { z } from 'zod';
import { sms } from '../contract.ts';

export type TextMessage = z.output<typeof sms.operations.send.input>;

/**
 * Creates the delivery by a provider over HTTP: `POST {url}/messages` with `{ to, text }`. Every repeat carries the same
 * `Idempotency-Key`. Resolves when the provider has accepted the message. Rejects with the `undeliverable` refusal when the
 * provider will never accept it. Any other error means that a later attempt may succeed.
 */
export function httpProvider(url: string, key: string) {
  return async ({ messageId, to, text }: TextMessage): Promise<void> => {
    const answer = await fetch(`${url}/messages`, {
      method: 'POST',
      headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json', 'idempotency-key': messageId },
      body: JSON.stringify({ to, text }),
      signal: AbortSignal.timeout(10_000),
      redirect: 'error',
    });
    await answer.body?.cancel();
    if (answer.status === 400 || answer.status === 422)
      throw sms.refuse('undeliverable', `the provider answered ${answer.status}`);
    if (answer.status >= 300) throw new Error(`the provider answered ${answer.status}`);
  };
}
