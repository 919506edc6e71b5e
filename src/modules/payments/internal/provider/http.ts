import { refusal } from 'kerf/errors';
import { type PaymentProvider, providerTimeoutMs } from './provider.ts';

/**
 * Creates a provider over HTTP: `POST {url}/payments`, then `POST {url}/payments/{id}/capture|void|refund`, each with an
 * `Idempotency-Key`. 2xx means done, 402 means declined; the caller retries after any other status. No answer, or 5xx, means
 * that the provider is unavailable.
 */
export function httpProvider(url: string, key: string): PaymentProvider {
  const post = async (path: string, id: string, body: object, signal?: AbortSignal): Promise<number> => {
    const answer = await fetch(`${url}${path}`, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${key}`,
        'content-type': 'application/json',
        'idempotency-key': `${id}${path}`,
      },
      body: JSON.stringify(body),
      signal: AbortSignal.any([AbortSignal.timeout(providerTimeoutMs), ...(signal ? [signal] : [])]),
      redirect: 'error',
    }).catch((error) => {
      throw refusal('unavailable', 'the payment provider cannot be reached', {}, { cause: error });
    });
    await answer.body?.cancel();
    if (answer.status >= 500) throw refusal('unavailable', `the payment provider answered ${answer.status}`);
    return answer.status;
  };
  const change = async (id: string, what: 'capture' | 'void' | 'refund', ignored: number[] = []) => {
    const status = await post(`/payments/${id}/${what}`, id, {});
    if (status >= 300 && !ignored.includes(status)) throw new Error(`the provider answered ${status} to ${what}`);
  };
  return {
    async authorize({ id, amount, currency, token }, signal) {
      const status = await post('/payments', id, { id, amount, currency, token }, signal);
      if (status === 402) return 'declined';
      if (status >= 300) throw new Error(`the provider answered ${status} to authorize`);
      return 'authorized';
    },
    capture: (id) => change(id, 'capture'),
    void: (id) => change(id, 'void', [404]),
    refund: (id) => change(id, 'refund'),
  };
}
