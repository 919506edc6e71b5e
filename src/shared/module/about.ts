import { z } from 'zod';

/** What a `module.json` says. The boundary check reads the same file. */
export const aboutSchema = z.strictObject({
  name: z.string().regex(/^[a-z][a-z0-9-]*$/),
  /** The team to ask. */
  owner: z.string(),
  about: z.string(),
  /** Modules it may call, and so import the contract of. */
  uses: z.array(z.string()),
  /** Modules whose events it takes, and so may import the contract of. */
  listensTo: z.array(z.string()),
});

export type About = z.infer<typeof aboutSchema>;
