import { command, contract, id, query, text } from 'kerf/contract';
import { z } from 'zod';

const note = z.strictObject({ id, text: text(500, 1) });

export const notes = contract('notes', {
  operations: {
    write: command({ summary: 'Writes a note', input: note, output: note }),
    read: query({ summary: 'A note', input: z.strictObject({ id }), output: z.object({ note: note.nullable() }) }),
  },
});
