import { z } from 'zod';
import type { Contract } from '../../kernel/contract/index.ts';
import { refusal } from '../../kernel/errors/index.ts';

/** How long queries are also asked of the new replicas, to compare the answers. */
export const mirrorSchema = z.strictObject({
  forMs: z.int().min(100).max(3_600_000).default(10_000),
  /** Whether the move fails when there was no answer to compare. */
  required: z.boolean().default(true),
});
export type Mirror = z.output<typeof mirrorSchema>;

/** Where too few calls came, a trial waits this many times as long for them. */
export const patience = 6;

/** What there is to mirror of a module: the names of its queries, and how many calls of each kind left this process so far. */
export interface Mirrored {
  readonly operations: readonly string[];
  readonly sent: { readonly queries: number; readonly commands: number };
}

/** Whether there is an operation of the module that may be asked of two replicas. */
export function hasQueries({ operations }: Contract): boolean {
  return Object.values(operations).some(({ kind }) => kind === 'query');
}

/** Says what there is to mirror. Throws a `conflict` when that is nothing by the contract, and the mirror is required. */
export function whatToMirror(contract: Contract, sent: Mirrored['sent'], { required }: Mirror): Mirrored {
  const { name, operations } = contract;
  if (required && !hasQueries(contract))
    throw refusal(
      'conflict',
      `there is nothing to mirror: a mirror compares the answers of queries, and ${name} has commands only (${Object.keys(operations).join(', ')}); leave the mirror out, or let the move go on without (mirror.required: false, --mirror-optional)`,
    );
  const queries = Object.values(operations).filter(({ kind }) => kind === 'query');
  return { operations: queries.map((query) => query.name), sent };
}
