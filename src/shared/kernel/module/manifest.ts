import { z } from 'zod';

/** Reserved names of callers that are not modules. These names grant access that a module name must not grant. */
const notModules = ['home', 'gateway', 'kernel', 'kerf', 'in-process'];

/** The schema of `module.json`. The boundary check reads the same file. */
export const manifestSchema = z.strictObject({
  name: z
    .string()
    .regex(/^[a-z][a-z0-9-]*$/)
    .refine(
      (name) => !notModules.includes(name),
      `must not be ${notModules.join(', ')}: these call, and are no modules`,
    )
    .refine((name) => !(name in Object.prototype), 'must not be a name that every object of JavaScript has'),
  /** The team to contact. */
  owner: z.string(),
  about: z.string(),
  /** Modules that this module may call. It may import their contracts. */
  uses: z.array(z.string()),
  /** Modules whose events this module receives. It may import their contracts. */
  listensTo: z.array(z.string()),
});

export type Manifest = z.infer<typeof manifestSchema>;
