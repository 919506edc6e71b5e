import { z } from 'zod';
import { id } from '../contract/index.ts';

/** `?limit=&cursor=` of a list. */
export const pageQuery = z.object({
  limit: z.coerce.number().int().min(1).max(100).default(20),
  cursor: z.string().min(1).max(512).optional(),
});

/** `/…/:id` */
export const idParam = z.object({ id });
