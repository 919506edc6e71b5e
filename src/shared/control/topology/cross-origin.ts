import { z } from 'zod';
import { StartError } from '../../kernel/errors/index.ts';
import { flag, whole } from './setting-values.ts';

const listOf = (isItem: (item: string) => boolean, rule: string) =>
  z.coerce
    .string()
    .transform((text) => text.split(',').map((item) => item.trim()))
    .refine((items) => items.every(isItem), rule);

/** The settings for front ends of other origins. Without `CORS_ORIGINS`, browsers keep such a front end out. */
export const corsSettings = {
  CORS_ORIGINS: listOf(
    isOrigin,
    'must be origins, separated by commas, such as https://shop.example.com, without a path or a slash at the end; or * for all',
  )
    .optional()
    .describe('the origins of front ends that may call the public resources'),
  CORS_CREDENTIALS: flag.default(false).describe('whether browsers may send cookies and client certificates along'),
  CORS_EXPOSED_HEADERS: listOf(
    (name) => /^[\w!#$%&'*+.^`|~-]+$/.test(name),
    'must be names of headers, separated by commas',
  )
    .default(['etag', 'location', 'retry-after', 'x-request-id'])
    .describe('the headers of an answer that a front end may read'),
  CORS_MAX_AGE_S: whole(0, 86_400, 'must be a whole number of seconds, 0 to 86400')
    .default(600)
    .describe('how long a browser remembers the answer to a preflight request'),
};

type CorsSettings = z.output<z.ZodObject<typeof corsSettings>>;

/** Tells whether the text is an origin as browsers write it, or `*`. */
function isOrigin(text: string): boolean {
  return text === '*' || (/^https?:[^*]+$/.test(text) && URL.canParse(text) && new URL(text).origin === text);
}

/** Refuses credentials for all origins: every page that a user visits could act as that user. */
export function refuseCredentialsForAll(settings: Pick<CorsSettings, 'CORS_ORIGINS' | 'CORS_CREDENTIALS'>): void {
  const { CORS_ORIGINS: origins = [], CORS_CREDENTIALS } = settings;
  if (origins.includes('*') && origins.length > 1)
    throw new StartError('setting CORS_ORIGINS: * stands for all origins; write it alone, or list the origins');
  if (origins.includes('*') && CORS_CREDENTIALS)
    throw new StartError(
      'settings CORS_ORIGINS and CORS_CREDENTIALS: no browser takes credentials with *; list the origins that may send them',
    );
}
