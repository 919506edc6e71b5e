import { command, contract, preconditions, query, text } from 'kerf/contract';
import { z } from 'zod';

export const name = text(64, 1);
export const box = z.object({ name, content: text(500), version: z.int() });

export const shelf = contract('shelf', {
  operations: {
    read: query({ summary: 'A box', input: z.strictObject({ name }), output: box }),
    write: command({
      summary: 'Fills a box',
      input: z.strictObject({ name, content: text(500), preconditions }),
      output: box,
    }),
    remove: command({
      summary: 'Removes a box',
      input: z.strictObject({ name, preconditions }),
      output: z.object({}),
    }),
  },
});
