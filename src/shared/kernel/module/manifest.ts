import { z } from 'zod';

/** Who calls without being a module: their names open doors that a module's must not. */
const notModules = ['home', 'gateway', 'kernel', 'kerf', 'in-process'];

/** What a `module.json` says. The boundary check reads the same file. */
export const manifestSchema = z.strictObject({
  name: z
    .string()
    .regex(/^[a-z][a-z0-9-]*$/)
    .refine(
      (name) => !notModules.includes(name),
      `must not be ${notModules.join(', ')}: these call, and are no modules`,
    ),
  /** The team to ask. */
  owner: z.string(),
  about: z.string(),
  /** Modules it may call, and so import the contract of. */
  uses: z.array(z.string()),
  /** Modules whose events it takes, and so may import the contract of. */
  listensTo: z.array(z.string()),
});

export type Manifest = z.infer<typeof manifestSchema>;
