import type { MiddlewareHandler } from 'hono';
import { refusal } from '../../kernel/errors/index.ts';
import { bearer } from '../../kernel/ports/index.ts';
import { keptToken, sameSecret } from '../identity/index.ts';

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
