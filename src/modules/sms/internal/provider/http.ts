import { sms } from '../../contract.ts';
import type { TextProvider } from './text-provider.ts';

/** A provider over HTTP: `POST {url}/messages` with `{ to, text }` and an `Idempotency-Key`. */
export function httpProvider(url: string, key: string): TextProvider {
  return {
    async deliver({ messageId, to, text }) {
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
    },
  };
}
