import { z } from 'zod';

export const sagaStates = ['running', 'compensating', 'done', 'compensated', 'stuck'] as const;

/** How an operator completes a stuck saga by hand. */
export const settlementSchema = z.strictObject({
  outcome: z.enum(['done', 'compensated']),
  note: z.string().min(1).max(500),
});

/** A saga in a list. Times are texts; null is never. */
export const sagaRow = z.looseObject({
  module: z.string(),
  id: z.string(),
  name: z.string(),
  version: z.number(),
  state: z.enum(sagaStates),
  reason: z.string().nullish(),
  lastError: z.string().nullish(),
  updatedAt: z.string().nullable(),
});

/** A saga with its history. */
export const sagaAnswer = sagaRow.extend({
  history: z.array(
    z.looseObject({
      at: z.string().nullable(),
      step: z.string().optional(),
      what: z.string(),
      error: z.string().optional(),
      times: z.number().optional(),
      note: z.string().optional(),
    }),
  ),
});
