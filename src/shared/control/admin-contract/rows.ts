import { z } from 'zod';

const awaySchema = z.looseObject({ module: z.string(), state: z.literal('unreachable'), why: z.string() });

/** The row of a module whose process cannot be asked. */
export type Away = z.output<typeof awaySchema>;

/** The answer of a route that asks every module: the rows of each module, or one row that says why there are none. */
export function rowsOf<S extends z.ZodObject>(row: S) {
  return z.looseObject({ items: z.array(z.union([awaySchema, row])) });
}

export function isAway(row: object): row is Away {
  return 'state' in row && row.state === 'unreachable';
}
