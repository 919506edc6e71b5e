import { defineTables, type Migration } from '../data/index.ts';

/** `pending` has not been tried, `failed` will be tried again, `dead` waits for a person. */
type DeliveryState = 'pending' | 'failed' | 'delivered' | 'dead';

export const eventTables = defineTables(({ table, text, integer }) => ({
  /** One row per event and recipient: a recipient that fails neither blocks nor repeats the others. */
  outbox: table('kerf_outbox', {
    seq: integer('seq').primaryKey(),
    eventId: text('event_id').notNull(),
    type: text('type').notNull(),
    recipient: text('recipient').notNull(),
    key: text('key').notNull(),
    envelope: text('envelope').notNull(),
    state: text('state').$type<DeliveryState>().notNull(),
    attempts: integer('attempts').notNull(),
    nextAttemptAt: integer('next_attempt_at').notNull(),
    lastError: text('last_error'),
    createdAt: integer('created_at').notNull(),
    settledAt: integer('settled_at'),
  }),
  /** What this module has taken in: an event that comes again changes nothing. */
  inbox: table('kerf_inbox', {
    eventId: text('event_id').primaryKey(),
    receivedAt: integer('received_at').notNull(),
  }),
}));

export const eventMigrations: Migration[] = [
  {
    name: 'kerf-events-0001',
    sqlite: `
      CREATE TABLE kerf_outbox (
        seq INTEGER PRIMARY KEY AUTOINCREMENT,
        event_id TEXT NOT NULL,
        type TEXT NOT NULL,
        recipient TEXT NOT NULL,
        key TEXT NOT NULL,
        envelope TEXT NOT NULL,
        state TEXT NOT NULL,
        attempts INTEGER NOT NULL,
        next_attempt_at INTEGER NOT NULL,
        last_error TEXT,
        created_at INTEGER NOT NULL,
        settled_at INTEGER
      );
      CREATE INDEX kerf_outbox_open ON kerf_outbox (recipient, seq) WHERE state IN ('pending', 'failed');
      CREATE INDEX kerf_outbox_dead ON kerf_outbox (seq) WHERE state = 'dead';
      CREATE INDEX kerf_outbox_settled ON kerf_outbox (settled_at) WHERE state = 'delivered';
      CREATE TABLE kerf_inbox (event_id TEXT PRIMARY KEY, received_at INTEGER NOT NULL) WITHOUT ROWID;
      CREATE INDEX kerf_inbox_received ON kerf_inbox (received_at);
    `,
  },
];
