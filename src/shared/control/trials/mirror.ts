import type { Contract } from '../../kernel/contract/index.ts';
import { refusal } from '../../kernel/errors/index.ts';
import type { Mirror } from '../admin-contract/index.ts';

/** A trial with too few calls lasts at most this many times as long. */
export const patience = 6;

/** The scope of a mirror: the names of the module's queries, and how many calls of each kind this process has sent so far. */
export interface Mirrored {
  readonly operations: readonly string[];
  readonly sent: { readonly queries: number; readonly commands: number };
}

/** Whether the module has a query, since only queries may go to two replicas. */
export function hasQueries({ operations }: Contract): boolean {
  return Object.values(operations).some(({ kind }) => kind === 'query');
}

/** Returns the scope of a mirror. Throws a `conflict` when the contract has no queries and the mirror is required. */
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
