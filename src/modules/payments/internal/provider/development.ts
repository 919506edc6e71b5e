import { type Clock, pause } from 'kerf/context';
import { type PaymentProvider, providerTimeoutMs } from './provider.ts';

/** Creates a provider for development. It needs no server; the token decides the result. */
export function developmentProvider(clock: Clock): PaymentProvider {
  const failures = new Map<string, number>();
  return {
    async authorize({ id, token }) {
      switch (token) {
        case 'tok_ok':
          return 'authorized';
        case 'tok_slow':
          await pause(clock, 3_000);
          return 'authorized';
        case 'tok_hang':
          await pause(clock, providerTimeoutMs);
          throw new Error('the provider did not answer');
        case 'tok_flaky': {
          const failed = failures.get(id) ?? 0;
          if (failed < 2) {
            failures.set(id, failed + 1);
            throw new Error('the provider failed');
          }
          failures.delete(id);
          return 'authorized';
        }
        case 'tok_error':
          throw new Error('the provider failed');
        default:
          return 'declined';
      }
    },
    async capture() {},
    async void() {},
    async refund() {},
  };
}
