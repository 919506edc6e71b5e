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
    .refine((name) => !(name in Object.prototype), 'must not be a name that every object of JavaScript has')
    .describe('the name of the module, which is the name of its folder'),
  owner: z.string().describe('the team to contact'),
  about: z.string().describe('what the module does, in a sentence'),
  uses: z.array(z.string()).describe('the modules that it calls; it may import their contracts'),
  listensTo: z.array(z.string()).describe('the modules whose events it takes; it may import their contracts'),
});

export type Manifest = z.infer<typeof manifestSchema>;
