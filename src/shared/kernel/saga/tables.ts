import { defineTables, type Migration } from '../database/index.ts';
import type { Happening } from './history.ts';

/**
 * `running` goes forward and `compensating` goes back. `done` and `compensated` are final. A `stuck` saga can go neither forward
 * nor back and waits for an operator.
 */
export type SagaState = 'running' | 'compensating' | 'done' | 'compensated' | 'stuck';

export function isEnd(state: SagaState): boolean {
  return state !== 'running' && state !== 'compensating';
}

export const sagaTables = defineTables(({ table, text, integer, json }) => ({
  sagas: table('kerf_sagas', {
    id: text('id').primaryKey(),
    name: text('name').notNull(),
    version: integer('version').notNull(),
    state: text('state').$type<SagaState>().notNull(),
    /** Index of the next step to run or to compensate. All steps before it are done. */
    step: integer('step').notNull(),
    /** 1 after its process died or failed to write: later steps that are not recorded one by one may also have run. */
    inDoubt: integer('in_doubt').$type<0 | 1>().notNull(),
    /** Data of the steps. It is cleared when the saga ends, because it may contain private data. */
    data: json<Record<string, unknown>>('data').notNull(),
    attempts: integer('attempts').notNull(),
    nextAttemptAt: integer('next_attempt_at').notNull(),
    deadline: integer('deadline').notNull(),
    /** Code of the error that started the compensation. */
    reason: text('reason'),
    lastError: text('last_error'),
    /** The trace in which the saga started. Its calls continue this trace. */
    traceparent: text('traceparent'),
    tracestate: text('tracestate'),
    baggage: text('baggage'),
    startedAt: integer('started_at').notNull(),
    updatedAt: integer('updated_at').notNull(),
    /** The instance that runs the saga; null while the saga waits and after it ends. */
    owner: text('owner'),
    /** Number of times that an instance claimed the saga. A run with an older number can write nothing: see `updateSaga`. */
    fence: integer('fence').notNull(),
    history: json<Happening[]>('history').notNull(),
  }),
}));

export type SagaRow = ReturnType<typeof sagaTables>['sagas']['$inferSelect'];

export const sagaMigrations: Migration[] = [
  {
    name: 'kerf-saga-0001',
    phase: 'expand',
    sqlite: `
      CREATE TABLE kerf_sagas (
        id TEXT PRIMARY KEY,
        name TEXT NOT NULL,
        version INTEGER NOT NULL,
        state TEXT NOT NULL,
        step INTEGER NOT NULL,
        data TEXT NOT NULL,
        attempts INTEGER NOT NULL,
        next_attempt_at INTEGER NOT NULL,
        deadline INTEGER NOT NULL,
        reason TEXT,
        last_error TEXT,
        traceparent TEXT,
        started_at INTEGER NOT NULL,
        updated_at INTEGER NOT NULL
      );
      CREATE INDEX kerf_sagas_open ON kerf_sagas (next_attempt_at) WHERE state IN ('running', 'compensating');
      CREATE INDEX kerf_sagas_ended ON kerf_sagas (updated_at) WHERE state IN ('done', 'compensated');
      CREATE INDEX kerf_sagas_stuck ON kerf_sagas (started_at) WHERE state = 'stuck';
    `,
  },
  {
    name: 'kerf-saga-0002',
    phase: 'expand',
    sqlite: `
      ALTER TABLE kerf_sagas ADD COLUMN owner TEXT;
      ALTER TABLE kerf_sagas ADD COLUMN fence INTEGER NOT NULL DEFAULT 0;
      ALTER TABLE kerf_sagas ADD COLUMN history TEXT NOT NULL DEFAULT '[]';
    `,
  },
  {
    name: 'kerf-saga-0003',
    phase: 'expand',
    sqlite: 'ALTER TABLE kerf_sagas ADD COLUMN in_doubt INTEGER NOT NULL DEFAULT 0;',
  },
  {
    name: 'kerf-saga-0004',
    phase: 'expand',
    sqlite: 'ALTER TABLE kerf_sagas ADD COLUMN tracestate TEXT; ALTER TABLE kerf_sagas ADD COLUMN baggage TEXT;',
  },
];
