import { hash } from 'node:crypto';
import { invalidInput } from '../errors/index.ts';

/**
 * The cursors of one list, such as `orders.list`: opaque to clients, and told from texts that no answer ever gave. They are no
 * secret: whoever reads a page must be allowed to by other means.
 */
export class Cursors {
  private readonly list: string;

  constructor(list: string) {
    this.list = list;
  }

  /** The cursor of the page that follows the item with this key. */
  after(key: string): string {
    const sum = hash('sha256', `${this.list}\0${key}`, 'base64url').slice(0, 16);
    return `${Buffer.from(key).toString('base64url')}.${sum}`;
  }

  /** The key that `after` was given; undefined where there is no cursor. Throws `invalid-input` for any text that `after` never made. */
  keyOf(cursor: string | undefined): string | undefined {
    if (cursor === undefined) return undefined;
    const key = Buffer.from(cursor.split('.', 1)[0]!, 'base64url').toString();
    if (this.after(key) === cursor) return key;
    throw invalidInput([{ path: 'cursor', message: 'must be the `next` of an earlier page of this list' }]);
  }

  /** A page of at most `limit` of these rows, which may be more: then it has a `next`. */
  page<R, T>(rows: readonly R[], limit: number, keyOf: (row: R) => string, toItem: (row: R) => T) {
    const shown = rows.slice(0, limit);
    const last = shown.at(-1);
    const next = rows.length > limit && last !== undefined ? this.after(keyOf(last)) : null;
    return { items: shown.map(toItem), next };
  }
}
