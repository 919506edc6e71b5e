import { hash } from 'node:crypto';
import { invalidInput } from '../errors/index.ts';

/**
 * Creates and reads the cursors of one list, such as `orders.list`. Cursors are opaque to clients, and other texts are recognized. They
 * are not secret: other code must authorize the reader of a page.
 */
export class Cursors {
  private readonly list: string;

  constructor(list: string) {
    this.list = list;
  }

  /** Returns the cursor of the page that follows the item with this key. */
  after(key: string): string {
    const sum = hash('sha256', `${this.list}\0${key}`, 'base64url').slice(0, 16);
    return `${Buffer.from(key).toString('base64url')}.${sum}`;
  }

  /** Returns the key of a cursor, or undefined without a cursor. Throws `invalid-input` for any text that `after` does not create. */
  keyOf(cursor: string | undefined): string | undefined {
    if (cursor === undefined) return undefined;
    const [encoded = ''] = cursor.split('.', 1);
    const key = Buffer.from(encoded, 'base64url').toString();
    if (this.after(key) === cursor) return key;
    throw invalidInput([{ path: 'cursor', message: 'must be the `next` of an earlier page of this list' }]);
  }

  /** Returns a page with at most `limit` of the rows. The page has a `next` when there are more rows than that. */
  page<R, T>(rows: readonly R[], limit: number, keyOf: (row: R) => string, toItem: (row: R) => T) {
    const shown = rows.slice(0, limit);
    const last = shown.at(-1);
    const next = rows.length > limit && last !== undefined ? this.after(keyOf(last)) : null;
    return { items: shown.map(toItem), next };
  }
}
