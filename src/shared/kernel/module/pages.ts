import { and, asc, desc, gt, lt, type SQL } from 'drizzle-orm';
import type { SQLiteTable } from 'drizzle-orm/sqlite-core';
import { Cursors } from '../contract/index.ts';
import { columnOf, type Reader } from '../database/index.ts';

/** The part of a query's input that selects a page. */
interface PageRequest {
  readonly limit: number;
  readonly cursor?: string;
}

/** Returns a page of the rows that fulfill all conditions. Throws `invalid-input` for a cursor of another list. */
type ReadPage<Row> = <Item>(
  reader: Reader,
  request: PageRequest,
  toItem: (row: Row) => Item,
  ...conditions: readonly (SQL | undefined)[]
) => Promise<{ items: Item[]; next: string | null }>;

/**
 * Returns a function that reads a list page by page: `pagesOf('board.list', (reader) => tables(reader).posts, 'id', 'descending')`.
 * `list` names the list for its cursors. `key` is a unique column; it determines the order.
 */
export function pagesOf<T extends SQLiteTable, K extends string & keyof T['$inferSelect']>(
  list: string,
  pick: (reader: Reader) => T,
  key: K,
  order: 'ascending' | 'descending',
): ReadPage<T['$inferSelect']> {
  const cursors = new Cursors(list);
  const [past, sorted] = order === 'ascending' ? [gt, asc] : [lt, desc];
  return async (reader, { limit, cursor }, toItem, ...conditions) => {
    const table: SQLiteTable = pick(reader);
    const column = columnOf(table, key);
    const from = cursors.keyOf(cursor);
    const rows = await reader.db
      .select()
      .from(table)
      .where(and(...conditions, from === undefined ? undefined : past(column, from)))
      .orderBy(sorted(column))
      .limit(limit + 1);
    return cursors.page(rows, limit, (row) => String(row[key]), toItem);
  };
}
