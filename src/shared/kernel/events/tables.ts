import { defineTables, type Migration } from '../database/index.ts';

/** One entry in the history of an event that its recipient did not take at once. */
export interface Incident {
  readonly at: number;
  readonly what: 'waited' | 'failed' | 'dead' | 'replayed' | 'delivered' | 'discarded';
  /** The error, or the given reason. */
  readonly why?: string;
}

/**
 * `pending` waits for its turn, `failed` waits for its next attempt, and `dead` waits for an operator. The operator replays a
 * dead event or marks it `discarded`.
 */
export type DeliveryState = 'pending' | 'failed' | 'delivered' | 'dead' | 'discarded';

/** The type of a received message that is not an event. */
export const unreadable = 'unreadable';

export const eventTables = defineTables(({ table, text, integer, json }) => ({
  /** One row per event and recipient: an unreachable recipient does not block or repeat the deliveries to other recipients. */
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
    history: json<Incident[]>('history'),
  }),
  /** Events that this module has applied or put into the retry queue. A repeated delivery of such an event changes nothing. */
  inbox: table('kerf_inbox', {
    eventId: text('event_id').primaryKey(),
    receivedAt: integer('received_at').notNull(),
  }),
  /** The retry queue: events that this module could not handle at once, and later events with the same key. The name is from the first release. */
  retryQueue: table('kerf_held', {
    seq: integer('seq').primaryKey(),
    eventId: text('event_id').notNull(),
    type: text('type').notNull(),
    key: text('key').notNull(),
    /** The event as received. */
    envelope: text('envelope').notNull(),
    state: text('state').$type<DeliveryState>().notNull(),
    attempts: integer('attempts').notNull(),
    nextAttemptAt: integer('next_attempt_at').notNull(),
    lastError: text('last_error'),
    receivedAt: integer('received_at').notNull(),
    settledAt: integer('settled_at'),
    history: json<Incident[]>('history').notNull(),
  }),
}));

export type OutboxRow = ReturnType<typeof eventTables>['outbox']['$inferSelect'];
export type RetryQueueRow = ReturnType<typeof eventTables>['retryQueue']['$inferSelect'];

export const eventMigrations: Migration[] = [
  {
    name: 'kerf-events-0001',
    phase: 'expand',
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
  {
    name: 'kerf-events-0002',
    phase: 'expand',
    sqlite: `
      ALTER TABLE kerf_outbox ADD COLUMN history TEXT;
      DROP INDEX kerf_outbox_settled;
      CREATE INDEX kerf_outbox_settled ON kerf_outbox (settled_at) WHERE state IN ('delivered', 'discarded');
      CREATE TABLE kerf_held (
        seq INTEGER PRIMARY KEY AUTOINCREMENT,
        event_id TEXT NOT NULL,
        type TEXT NOT NULL,
        key TEXT NOT NULL,
        envelope TEXT NOT NULL,
        state TEXT NOT NULL,
        attempts INTEGER NOT NULL,
        next_attempt_at INTEGER NOT NULL,
        last_error TEXT,
        received_at INTEGER NOT NULL,
        settled_at INTEGER,
        history TEXT NOT NULL
      );
      CREATE INDEX kerf_held_open ON kerf_held (key, seq) WHERE state IN ('pending', 'failed');
      CREATE INDEX kerf_held_due ON kerf_held (next_attempt_at) WHERE state = 'failed';
      CREATE INDEX kerf_held_dead ON kerf_held (seq) WHERE state = 'dead';
      CREATE INDEX kerf_held_settled ON kerf_held (settled_at) WHERE state IN ('delivered', 'discarded');
    `,
  },
];
