import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Sqlite from 'better-sqlite3';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { parse } from 'yaml';
import { type PrivateServer, startServer } from '../../scripts/services/index.ts';
import { eventually, freePort, Kerf, newDataDir } from '../harness/kerf.ts';
import { Scraper } from '../harness/metrics.ts';
import { Operator } from '../harness/operator.ts';
import { type Alert, openWebhook, queryPrometheus, type Webhook } from '../harness/prometheus.ts';
import { describeWith } from '../harness/servers.ts';
import { Shop } from '../harness/shop.ts';

const deployed = 'deploy/prometheus';
const read = (name: string) => readFileSync(join(deployed, name), 'utf8');
interface Rule {
  readonly alert: string;
  readonly annotations: { readonly runbook: string };
}
const alerts = (parse(read('alerts.yml')) as { groups: { rules: Rule[] }[] }).groups.flatMap(({ rules }) => rules);
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
    const { status, stdout, stderr } = spawnSync('promtool', words, { cwd: deployed, encoding: 'utf8' });
    expect([status, stdout + stderr]).toEqual([0, expect.stringContaining('SUCCESS')]);
  });

  describeWith('alertmanager', 'alerts, through Alertmanager', () => drill());
});

/** A fault and its end. `labels` are those of the alert. */
interface Fault {
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
    const alertmanager = await privateServer('alertmanager');
    webhook = await openWebhook(alertmanager.url);
    undo.push(() => webhook.close());
    prometheus = await privateServer('prometheus');
    await configure(new URL(alertmanager.url).host);
    undo.push(customers());
    const targets = (await new Scraper(kerf).targets()).length;
    const isUp = { at: prometheus.url, enough: (found: readonly unknown[]) => found.length === targets };
    expect((await queryPrometheus('up{job="kerf"} == 1', isUp)).length).toBe(3);
    await eventually(async () => (await firing()).length === 0, 'a healthy system');
  });
  afterAll(async () => {
    for (const each of undo.reverse()) await each();
    if (disk) spawnSync('umount', [disk]);
  });

  const servers = new Map<string, string>();
  async function privateServer(name: 'prometheus' | 'alertmanager'): Promise<PrivateServer> {
    const folder = mkdtempSync(join(tmpdir(), `kerf-${name}-`));
    const server = await startServer(name, { port: await freePort(), folder });
    undo.push(() => server.stop());
    servers.set(name, folder);
    return server;
  }

  /** Lets Prometheus read the deployed files, with the addresses of this test, and shortened. */
  async function configure(alertmanager: string): Promise<void> {
    const folder = servers.get('prometheus')!;
    const settings = read('prometheus.yml')
      .replaceAll('15s', '1s')
      .replaceAll('/etc/prometheus/kerf-metrics-token', join(kerf.dataDir, 'metrics-token'))
      .replace('http://127.0.0.1:3001', kerf.announced.internal)
      .replace('127.0.0.1:9093', alertmanager);
    writeFileSync(join(folder, 'prometheus.yml'), settings);
    writeFileSync(join(folder, 'recording.yml'), read('recording.yml').replace(/\[\w+\]/g, '[8s]'));
    const short = read('alerts.yml').replace(/for: \w+/g, 'for: 1s');
    writeFileSync(join(folder, 'alerts.yml'), short.replace(/_age_seconds(.*) > \d+/g, '_age_seconds$1 > 3'));
    const { ok, status } = await fetch(`${prometheus.url}/-/reload`, { method: 'POST' });
    expect([ok, status]).toEqual([true, 200]);
  }

  const firing = () => queryPrometheus('ALERTS{alertstate="firing"}', { at: prometheus.url, enough: () => true });

  /** Looks at products and orders all the time. Returns the function that ends it. */
  function customers(): () => Promise<unknown> {
    let isOpen = true;
    const repeat = async (task: () => Promise<unknown>) => {
      while (isOpen) {
        await task().catch(() => {});
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
    };
    const all = [repeat(() => member.get('/products')), repeat(() => member.order('WAX', 1, { wait: 1 }))];
    return () => {
      isOpen = false;
      return Promise.all(all);
    };
  }

  const fault = (operation: string, effect: object) =>
    operator.ask('PUT', '/faults', { faults: [{ caller: '*', operation, forMs: 120_000, ...effect }] });
  const noFault = () => operator.ask('PUT', '/faults', { faults: [] });
  const open = (module: string) => new Sqlite(join(kerf.dataDir, `${module}.db`), { timeout: 5_000 });

  let frozen: number | undefined;
  const freeze = async (module: string) => {
    frozen = (await kerf.pidOf(module))!;
    process.kill(frozen, 'SIGSTOP');
  };
  const thaw = async () => process.kill(frozen!, 'SIGCONT');

  let saga = '';
  const faults: Record<string, Fault> = {
    'public requests fail': {
      alerts: { KerfAvailabilityBurnsFast: {}, KerfAvailabilityBurnsSlowly: {} },
      begin: () => fault('catalog.*', { error: 'unavailable' }),
      end: noFault,
    },
    'public requests are slow': {
      alerts: { KerfLatencyBurnsFast: {}, KerfLatencyBurnsSlowly: {} },
      begin: () => fault('catalog.*', { latencyMs: 1_500 }),
      end: noFault,
    },
    'a subscriber takes no events': {
      alerts: { KerfOutboxOld: { module: 'orders', recipient: 'notifications' } },
      begin: () => freeze('notifications'),
      end: thaw,
    },
    'a saga cannot go on': {
      alerts: { KerfSagaOld: { module: 'orders', saga: 'checkout' } },
      begin: () => fault('payments.authorize', { error: 'unavailable' }),
      end: noFault,
    },
    'a saga is stuck': {
      alerts: { KerfSagaStuck: { module: 'orders', saga: 'cancellation' } },
      async begin() {
        const { body } = await member.order('WAX');
        const database = open('payments');
        database.prepare("UPDATE payments SET status = 'voided' WHERE order_id = ?").run(body.id);
        database.close();
        await member.post(`/orders/${body.id}/cancel`);
        saga = `orders.cancellation/${body.id}`;
      },
      end: () =>
        operator.ask('POST', `/sagas/${encodeURIComponent(saga)}/settle`, { outcome: 'done', note: 'of the drill' }),
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
    'a process hangs': {
      alerts: {
        KerfBreakerOpen: { module: 'payments' },
        KerfModuleLeaderless: { module: 'payments' },
        KerfProcessDown: { process: 'payments' },
      },
      begin: () => freeze('payments'),
      end: thaw,
    },
    'the disk fills': {
      alerts: { KerfDiskFull: {} },
      begin: async () => fillTo(0.95, disk!),
      end: async () => rmSync(join(disk!, filler)),
      isPossible: () => disk !== undefined,
    },
  };

  it.for(Object.entries(faults))('fire when %s, and are resolved after', async ([, each], { skip }) => {
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

  it('are all drilled', () => {
    const drilled = Object.values(faults).flatMap((each) => Object.keys(each.alerts));
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
