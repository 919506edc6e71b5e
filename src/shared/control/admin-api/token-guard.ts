import type { MiddlewareHandler } from 'hono';
import { refusal, StartError } from '../../kernel/errors/index.ts';
import { bearer } from '../../kernel/ports/index.ts';
import { givenToken, keptToken, sameSecret } from '../identity/index.ts';

interface TokenGuardDependencies {
  readonly dataDir: string;
  /** The token, instead of the file `metrics-token` in the data folder. */
  readonly setting: string | undefined;
  /** Hides the token in the log. */
  readonly hide: (token: string) => void;
}

/** Lets scrapers of metrics pass. A scraper has a token of its own, which gives no orders. */
export function scraperGuard({ dataDir, setting, hide }: TokenGuardDependencies): MiddlewareHandler {
  const token = keptToken(dataDir, 'metrics', setting);
  hide(token);
  return async (c, next) => {
    const given = bearer(c.req.header('authorization'));
    if (given === undefined || !sameSecret(given, token))
      throw refusal('unauthenticated', 'send METRICS_TOKEN, or the content of metrics-token in the data folder');
    await next();
  };
}

interface SenderGuardDependencies {
  readonly settings: Readonly<
    Partial<Record<'OPERATOR_TOKEN' | 'METRICS_TOKEN' | 'TRACES_TOKEN', string | undefined>>
  > & {
    readonly DATA_DIR: string;
  };
  /** Hides the token in the log. */
  readonly hide: (token: string) => void;
}

/**
 * Returns a function that throws `unauthenticated` unless the `authorization` of a request has the token of senders of spans. Returns
 * `undefined` when there is no such token, so that no program may send. Throws a `StartError` when the token would give other rights as well.
 */
export function senderGuard({
  settings: { DATA_DIR, OPERATOR_TOKEN, METRICS_TOKEN, TRACES_TOKEN },
  hide,
}: SenderGuardDependencies): ((authorization: string | null) => void) | undefined {
  const token = givenToken(DATA_DIR, 'traces', TRACES_TOKEN);
  if (token === undefined) return undefined;
  const others = [givenToken(DATA_DIR, 'operator', OPERATOR_TOKEN), givenToken(DATA_DIR, 'metrics', METRICS_TOKEN)];
  if (others.includes(token))
    throw new StartError(
      'TRACES_TOKEN must differ from the tokens of operators and of scrapers, which give more rights',
    );
  hide(token);
  return (authorization) => {
    const given = bearer(authorization);
    if (given === undefined || !sameSecret(given, token))
      throw refusal('unauthenticated', 'send TRACES_TOKEN, or the content of traces-token in the data folder');
  };
}
