import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Sqlite from 'better-sqlite3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { type PrivateServer, startServer } from '../../scripts/services/index.ts';
import { eventually, freePort, Kerf, newDataDir } from '../harness/kerf.ts';
import { customers, deployed, freeze, killAgainAndAgain, observe } from '../harness/observed.ts';
import { Operator } from '../harness/operator.ts';
import { type Alert, openWebhook, queryPrometheus, type Webhook } from '../harness/prometheus.ts';
import { describeWith } from '../harness/servers.ts';
import { Shop } from '../harness/shop.ts';

interface Rule {
  readonly alert: string;
  readonly annotations: { readonly runbook: string };
}
const alerts = (parse(deployed('alerts.yml')) as { groups: { rules: Rule[] }[] }).groups.flatMap(({ rules }) => rules);
const runbooks = 'docs/runbooks';

it('each alert has a runbook that names it, and each runbook an alert', () => {
  const used = alerts.map(({ annotations }) => annotations.runbook);
  for (const { alert, annotations } of alerts) expect(readFileSync(annotations.runbook, 'utf8')).toContain(alert);
  expect([...new Set(used)].sort()).toEqual(readdirSync(runbooks).map((file) => `${runbooks}/${file}`));
});

describeWith('prometheus', 'the rules of Prometheus', () => {
  it.each([
    ['check', 'rules', 'recording.yml', 'alerts.yml'],
    ['check', 'config', '--syntax-only', 'prometheus.yml'],
    ['test', 'rules', 'alerts.test.yml'],
  ])('pass promtool %s %s', (...words) => {
    const { status, stdout, stderr } = spawnSync('promtool', words, { cwd: 'deploy/prometheus', encoding: 'utf8' });
    expect([status, stdout + stderr]).toEqual([0, expect.stringContaining('SUCCESS')]);
  });

  describeWith('alertmanager', 'alerts, through Alertmanager', () => drill());
});

/** Shortens the rules: nobody waits an hour for a test. */
function shortened(text: string): string {
  return text
    .replace(/for: \w+/g, 'for: 1s')
    .replace(/_age_seconds(.*) > \d+/g, '_age_seconds$1 > 3')
    .replace('[10m]', '[10s]');
}

/** A fault and its end. */
interface Fault {
  /** The labels of each alert that the fault fires. */
  readonly alerts: Readonly<Record<string, Record<string, string>>>;
  begin(): Promise<unknown>;
  end(): Promise<unknown>;
  /** Whether this process can make it. */
  readonly isPossible?: () => boolean;
}

/**
 * Makes the fault of each alert in a running system, and sees the alert at a webhook, firing and then resolved. The rules are a copy of
 * those to deploy, with short windows, short `for` and low ages: nobody waits an hour for a test.
 */
function drill(): void {
  const undo: (() => unknown)[] = [];
  let [kerf, operator, member, webhook, prometheus]: [Kerf, Operator, Shop, Webhook, PrivateServer] = [] as never;
  let disk: string | undefined;

  beforeAll(async () => {
    disk = smallDisk();
    kerf = await Kerf.start({
      env: { MODULE_PAYMENTS: 'http', MODULE_NOTIFICATIONS: 'http', LOG_LEVEL: 'silent' },
      dataDir: disk ? join(disk, 'data') : newDataDir(),
    });
    undo.push(() => kerf.stop());
    operator = new Operator(kerf);
    member = await new Shop(kerf.url).join();
    const folder = mkdtempSync(join(tmpdir(), 'kerf-alertmanager-'));
    const alertmanager = await startServer('alertmanager', { port: await freePort(), folder });
    undo.push(() => alertmanager.stop());
    webhook = await openWebhook(alertmanager.url);
    undo.push(() => webhook.close());
    prometheus = await observe(kerf, { alertmanager: alertmanager.url, alerts: shortened });
    undo.push(() => prometheus.stop());
    undo.push(customers(member));
    await eventually(async () => (await firing()).length === 0, 'a healthy system');
  });
  afterAll(async () => {
    for (const each of undo.reverse()) await each();
    if (disk) spawnSync('umount', [disk]);
  });

  const firing = () => queryPrometheus('ALERTS{alertstate="firing"}', { at: prometheus.url, enough: () => true });

  const injected = new Set<object>();
  const inject = (caller: string, operation: string, effect: object) => {
    const fault = { caller, operation, forMs: 120_000, ...effect };
    const change = (how: 'add' | 'delete') => {
      injected[how](fault);
      return operator.ask('PUT', '/faults', { faults: [...injected] });
    };
    return { begin: () => change('add'), end: () => change('delete') };
  };
  const open = (module: string) => new Sqlite(join(kerf.dataDir, `${module}.db`), { timeout: 5_000 });

  let thaw = async () => true;
  const hang = async (module: string) => {
    thaw = await freeze(kerf, module);
  };

  let crashing = async () => {};

  let saga = '';
  /** The faults by their time: those of one group are made at once, since none of them fires an alert of another. */
  const groups: Record<string, Fault>[] = [
    {
      'public requests fail': {
        alerts: { KerfAvailabilityBurnsFast: {}, KerfAvailabilityBurnsSlowly: {} },
        ...inject('orders', 'catalog.*', { error: 'unavailable', share: 0.5 }),
      },
      'public requests are slow': {
        alerts: { KerfLatencyBurnsFast: {}, KerfLatencyBurnsSlowly: {} },
        ...inject('gateway', 'catalog.*', { latencyMs: 1_500 }),
      },
      'a saga is stuck': {
        alerts: { KerfSagaStuck: { module: 'orders', saga: 'cancellation' } },
        async begin() {
          const order = async () => {
            const { status, body } = await member.order('WAX');
            return status === 201 && body;
          };
          const { id } = await eventually(order, 'a confirmed order');
          const database = open('payments');
          database.prepare("UPDATE payments SET status = 'voided' WHERE order_id = ?").run(id);
          database.close();
          await member.post(`/orders/${id}/cancel`);
          saga = `orders.cancellation/${id}`;
        },
        end: () =>
          operator.ask('POST', `/sagas/${encodeURIComponent(saga)}/settle`, { outcome: 'done', note: 'of the drill' }),
      },
      'an event waits for something that is away': {
        alerts: { KerfRetryQueueOld: { module: 'notifications' } },
        async begin() {
          const database = open('notifications');
          database
            .prepare(`INSERT INTO kerf_held (event_id, type, key, envelope, state, attempts, next_attempt_at, received_at, history)
              VALUES ('away', 'unreadable', 'away', '?', 'failed', 1, ?, ?, '[]')`)
            .run(Date.now() + 3_600_000, Date.now());
          database.close();
        },
        async end() {
          const database = open('notifications');
          database.exec("DELETE FROM kerf_held WHERE event_id = 'away'");
          database.close();
        },
      },
      'an event is not taken': {
        alerts: { KerfDeadLetters: { module: 'notifications', direction: 'in' } },
        async begin() {
          const database = open('notifications');
          database.exec(`INSERT INTO kerf_held (event_id, type, key, envelope, state, attempts, next_attempt_at, received_at, history)
            VALUES ('drill', 'unreadable', 'drill', '?', 'dead', 12, 0, 0, '[]')`);
          database.close();
        },
        async end() {
          const [letter] = (await operator.letters()).filter(({ module }) => module === 'notifications');
          await operator.ask('POST', `/dead-letters/${letter!.id}/discard`, { reason: 'of the drill' });
        },
      },
      'the disk fills': {
        alerts: { KerfDiskFull: {} },
        begin: async () => fillTo(0.95, disk!),
        end: async () => rmSync(join(disk!, filler)),
        isPossible: () => disk !== undefined,
      },
    },
    {
      'a subscriber takes no events': {
        alerts: { KerfOutboxOld: { module: 'orders', recipient: 'notifications' } },
        begin: () => hang('notifications'),
        end: () => thaw(),
      },
    },
    {
      'a saga cannot go on': {
        alerts: { KerfSagaOld: { module: 'orders', saga: 'checkout' } },
        ...inject('*', 'payments.authorize', { error: 'unavailable' }),
      },
      'a process crashes again and again': {
        alerts: { KerfModuleProcessCrashes: { module: 'notifications' } },
        begin: async () => {
          crashing = killAgainAndAgain(kerf, 'notifications');
        },
        end: () => crashing(),
      },
    },
    {
      'a process hangs': {
        alerts: {
          KerfBreakerOpen: { module: 'payments' },
          KerfModuleLeaderless: { module: 'payments' },
          KerfProcessDown: { process: 'payments' },
          KerfModuleProcessNotReady: { module: 'payments' },
        },
        begin: () => hang('payments'),
        end: () => thaw(),
      },
    },
  ];

  describe.for(groups)('fire', (faults) => {
    it.concurrent.for(Object.entries(faults))('when %s, and are resolved after', async ([, each], { skip }) => {
      skip(each.isPossible?.() === false, 'needs the right to mount a small disk');
      const from = webhook.received.length;
      const came = (status: Alert['status']) =>
        Promise.all(
          Object.entries(each.alerts).map(([alertname, labels]) =>
            eventually(
              async () =>
                webhook.received
                  .slice(from)
                  .find((alert) => alert.status === status && isLike(alert.labels, { alertname, ...labels })),
              `the alert ${alertname} (${status})`,
              90_000,
            ),
          ),
        );
      await each.begin();
      await came('firing');
      await each.end();
      for (const { annotations } of await came('resolved')) expect(annotations.runbook).toMatch(/^docs\/runbooks\//);
    });
  });

  it('are all drilled', () => {
    const drilled = groups.flatMap((faults) => Object.values(faults)).flatMap((each) => Object.keys(each.alerts));
    expect(drilled.sort()).toEqual(alerts.map(({ alert }) => alert).sort());
  });
}

function isLike(labels: Readonly<Record<string, string>>, wanted: Readonly<Record<string, string>>): boolean {
  return Object.entries(wanted).every(([name, value]) => labels[name] === value);
}

const filler = 'filler';

/** Fills the disk up to this share with one file. */
function fillTo(share: number, disk: string): void {
  const { bavail, blocks, bsize } = statfsSync(disk);
  writeFileSync(join(disk, filler), Buffer.alloc(Math.floor((bavail - blocks * (1 - share)) * bsize)));
}

/** Mounts a disk of 256 MiB in memory. Returns `undefined` where this process has no right to. */
function smallDisk(): string | undefined {
  const folder = mkdtempSync(join(tmpdir(), 'kerf-disk-'));
  const { status } = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=256m', 'tmpfs', folder]);
  if (status !== 0) return undefined;
  mkdirSync(join(folder, 'data'));
  return folder;
}
