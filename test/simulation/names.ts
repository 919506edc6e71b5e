const uuid = /[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}/g;

/** Gives readable names to the ids of a history, numbered in the order of their appearance. */
export class Names {
  readonly #names = new Map<string, string>();
  readonly #counts = new Map<string, number>();

  find(text: string): string[] {
    return [...new Set(text.match(uuid) ?? [])];
  }

  replace(text: string): string {
    return text.replaceAll(uuid, (id) => this.#names.get(id) ?? this.name(id, 'id'));
  }

  name(id: string, kind: string): string {
    const known = this.#names.get(id);
    if (known && !known.startsWith('id ')) return known;
    const count = (this.#counts.get(kind) ?? 0) + 1;
    this.#counts.set(kind, count);
    this.#names.set(id, `${kind} ${count}`);
    return `${kind} ${count}`;
  }

  isOrder(id: string): boolean {
    return this.#names.get(id)?.startsWith('order ') ?? false;
  }

  /** Returns the subject of a message: its order, message, key or member. */
  subject(text: string): string {
    const field = (name: string) => new RegExp(`"${name}":"([^"]+)"`).exec(text)?.[1];
    for (const kind of ['order', 'message'] as const) {
      const id = field(`${kind}Id`);
      if (id) return this.name(id, kind);
    }
    const id = field('id');
    if (id && this.isOrder(id)) return this.#names.get(id)!;
    const member = field('memberId');
    return field('key') ?? (member ? this.name(member, 'member') : '');
  }
}

type Row = Readonly<Record<string, string | number | null>>;

/** Describes a written row in a few words. Returns an empty string for internal rows of the kernel. */
export function label(table: string, row: Row, names: Names): string {
  const { id, name, state, status, step, type, recipient } = row;
  const sku = row.sku === undefined ? '' : ` ${row.sku}: ${row.available ?? row.amount}`;
  if (table === 'kerf_outbox') return `event ${String(type).split('.')[1]} to ${recipient}: ${state}`;
  if (table === 'kerf_sagas') return `${name} ${names.subject(String(row.data))}: ${state}, step ${step}`;
  if (table === 'kerf_held') return `retry queue: ${state}`;
  if (table.startsWith('kerf_') || table.startsWith('simulated_')) return '';
  if (table === 'orders') names.name(String(id), 'order');
  const owner = row.order_id ?? row.message_id ?? row.id;
  const subject = owner ? ` ${owner}` : sku;
  return `${table}${subject}${(status ?? state) ? `: ${status ?? state}` : ''}`;
}
