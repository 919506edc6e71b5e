const id = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g;
const time = /\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d+)?Z/g;

/** The cursor of a list: the key of the last item (often an id) and a checksum. */
const cursor = /^([\w-]{4,})\.[\w-]{16}$/;

/**
 * Makes the answers of two worlds comparable. Replaces an id by the number of its first appearance, a time by the word `time`,
 * and a cursor by its key. Two worlds with the same behavior get the same numbers.
 */
export class Normalizer {
  readonly #ids = new Map<string, string>();

  normalize(value: unknown): unknown {
    const [, key] = (typeof value === 'string' && cursor.exec(value)) || [];
    if (key) return { cursor: this.normalize(Buffer.from(key, 'base64url').toString()) };
    if (typeof value === 'string') return value.replace(id, (each) => this.#number(each)).replace(time, 'time');
    if (Array.isArray(value)) return value.map((each) => this.normalize(each));
    if (typeof value !== 'object' || value === null) return value;
    const sorted = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
    return Object.fromEntries(sorted.map(([name, each]) => [name, this.normalize(each)]));
  }

  #number(each: string): string {
    const known = this.#ids.get(each) ?? `id-${this.#ids.size + 1}`;
    this.#ids.set(each, known);
    return known;
  }
}
