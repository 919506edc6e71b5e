import { z } from 'zod';

/** A dead letter in a list: without its event. */
export const deadLetterRow = z.looseObject({
  module: z.string(),
  id: z.string(),
  type: z.string(),
  key: z.string(),
  recipient: z.string().optional(),
  state: z.string(),
  lastError: z.string().nullable(),
  history: z.array(z.looseObject({ at: z.string(), what: z.string(), why: z.string().optional() })).readonly(),
});

export const deadLetterSchema = deadLetterRow.extend({ event: z.unknown() });

/** How many dead letters of a module were replayed or discarded. */
export const decidedRow = z.looseObject({ module: z.string(), count: z.number() });
