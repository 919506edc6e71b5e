import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import Sqlite from 'better-sqlite3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { boards } from '../../scripts/dashboards/boards.ts';
import { jsonOf } from '../../scripts/dashboards/generate.ts';
import type { PrivateServer } from '../../scripts/services/index.ts';
import { eventually, Kerf } from '../harness/kerf.ts';
import { customers, freeze, observe } from '../harness/observed.ts';
import { Operator } from '../harness/operator.ts';
import { queryPrometheus } from '../harness/prometheus.ts';
import { describeWith } from '../harness/servers.ts';
import { Shop } from '../harness/shop.ts';

describe('the dashboards of Grafana', () => {
  const folder = 'deploy/grafana/dashboards';

  it('are those that npx kerf dashboards writes', () => {
    expect(readdirSync(folder).sort()).toEqual(boards.map(({ uid }) => `${uid}.json`).sort());
    for (const board of boards) expect(readFileSync(join(folder, `${board.uid}.json`), 'utf8')).toBe(jsonOf(board));
  });
});

const queries = boards.flatMap(({ title, rows }) =>
  Object.values(rows).flatMap((panels) =>
    panels.flatMap(({ title: panel, queries }) =>
      Object.values(queries).map((query) => [title, panel, query] as const),
    ),
  ),
);

it('no query adds up the times of calls within a process and over a wire: of the former, one in 128 is timed', () => {
  const ofCalls = queries.filter(([, , query]) => query.includes('kerf_call_duration_seconds'));
  expect(ofCalls.length).toBeGreaterThan(0);
  expect(ofCalls.filter(([, , query]) => !/ by \([^)]*\bplacement\b/.test(query))).toEqual([]);
});

/** A system in which everything has happened that a dashboard shows. */
describeWith('prometheus', 'the queries of dashboards', () => {
  const undo: (() => unknown)[] = [];
  let [kerf, operator, member, prometheus]: [Kerf, Operator, Shop, PrivateServer] = [] as never;

  beforeAll(async () => {
    kerf = await Kerf.start({ env: { MODULE_PAYMENTS: 'http', MODULE_NOTIFICATIONS: 'http', LOG_LEVEL: 'silent' } });
    undo.push(() => kerf.stop());
    operator = new Operator(kerf);
    member = await new Shop(kerf.url).join();
    prometheus = await observe(kerf);
    undo.push(() => prometheus.stop());
    undo.push(customers(member));
    for (const placement of ['http', 'in-process'])
      expect((await operator.ask('PUT', '/modules/sms', { placement, forNow: true })).status).toBe(200);
    await hang('notifications', 'kerf_outbox_events');
    await hang('payments', 'kerf_upstream_instances{state="open"} > 0');
    process.kill((await kerf.pidOf('payments'))!, 'SIGKILL');
    await seen('kerf_call_retries_total');
    await strand();
    await hold();
  });
  afterAll(async () => {
    for (const each of undo.reverse()) await each();
  });

  const seen = (query: string) => queryPrometheus(query, { at: prometheus.url });

  /** Stops a process until Prometheus has seen the effect. */
  async function hang(module: string, effect: string): Promise<void> {
    const thaw = await freeze(kerf, module);
    await seen(effect);
    await thaw();
  }

  /** Strands a saga: the payment that it gives back is gone. */
  async function strand(): Promise<void> {
    const { id } = await eventually(async () => {
      const { body } = await member.order('WAX');
      return body.status === 'confirmed' && body;
    }, 'an order');
    const database = new Sqlite(join(kerf.dataDir, 'payments.db'), { timeout: 5_000 });
    database.prepare("UPDATE payments SET status = 'voided' WHERE order_id = ?").run(id);
    database.close();
    await member.post(`/orders/${id}/cancel`);
    await seen('kerf_sagas{state="stuck"} > 0');
  }

  /** Puts an event into a retry queue, to be tried again in ten minutes. */
  async function hold(): Promise<void> {
    const database = new Sqlite(join(kerf.dataDir, 'notifications.db'), { timeout: 5_000 });
    database
      .prepare(`INSERT INTO kerf_held (event_id, type, key, envelope, state, attempts, next_attempt_at, received_at, history)
        VALUES ('held', 'unreadable', 'held', '?', 'failed', 1, ?, ?, '[]')`)
      .run(Date.now() + 600_000, Date.now());
    database.close();
    await seen('kerf_retry_queue_age_seconds');
  }

  it.each(queries)('%s: %s', async (_board, _panel, query) => {
    const expr = query.replaceAll('$module', '.*').replaceAll('$__rate_interval', '10s');
    // Anything that the panel has shown since the start.
    expect((await seen(`count_over_time((${expr})[10m:1s])`)).length).toBeGreaterThan(0);
  });
});
