import { z } from 'zod';

/** A negative answer, as far as operators are told of it: its issues, or its detail. */
export const problemAnswer = z.looseObject({
  title: z.string(),
  detail: z.string().optional(),
  issues: z.array(z.looseObject({ path: z.string(), message: z.string() })).optional(),
});
