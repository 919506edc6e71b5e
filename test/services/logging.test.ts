import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { eventually, Kerf, moduleNames, newDataDir, placements } from '../harness/kerf.ts';
import { type LogLine, logLines, refuseSecrets } from '../harness/log.ts';
import { quiet } from '../harness/quiet.ts';
import { Shop } from '../harness/shop.ts';
import { traceIdOf } from '../harness/traces.ts';

const recipes = join('deploy', 'logging');
const rsyslogd = ['/usr/sbin/rsyslogd', '/sbin/rsyslogd'].find((file) => existsSync(file));

/** A store of log lines. Each run of the test has its own part of it. */
interface Store {
  readonly name: string;
  readonly url: string;
  readonly recipe: string;
  /** Whether it keeps a line once that is sent twice. */
  readonly knowsRepeated: boolean;
  /** What the recipe says, and what the test says instead. */
  readonly replace: readonly (readonly [said: string, instead: string])[];
  prepare(): Promise<void>;
  /** Returns the documents of a trace, each a line of the log. */
  find(trace: string): Promise<LogLine[]>;
  remove(): Promise<void>;
}

const run = `test-${randomBytes(6).toString('hex')}`;
const openSearchUrl = process.env.SERVER_OPENSEARCH_URL ?? 'http://127.0.0.1:19200';
const victoriaLogsUrl = process.env.SERVER_VICTORIA_LOGS_URL ?? 'http://127.0.0.1:19428';

async function send(url: string, init?: RequestInit): Promise<string> {
  const answer = await fetch(url, { ...init, headers: { 'content-type': 'application/json', ...init?.headers } });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`${url} answered ${answer.status} ${text}`);
  return text;
}

const openSearch: Store = {
  name: 'opensearch',
  url: openSearchUrl,
  recipe: 'rsyslog-opensearch.conf',
  knowsRepeated: true,
  replace: [
    ['http://127.0.0.1:9200', openSearchUrl],
    ['logs-kerf-default', `logs-kerf-${run}`],
  ],
  async prepare() {
    const body = readFileSync(join(recipes, 'opensearch-template.json'));
    await send(`${openSearchUrl}/_index_template/logs-kerf`, { method: 'PUT', body });
  },
  async find(trace) {
    const index = `${openSearchUrl}/logs-kerf-${run}`;
    const isThere = (await fetch(index, { method: 'HEAD' })).ok;
    if (!isThere) return [];
    await send(`${index}/_refresh`, { method: 'POST' });
    const query = { size: 1_000, query: { term: { 'trace.id': trace } } };
    const text = await send(`${index}/_search`, { method: 'POST', body: JSON.stringify(query) });
    const { hits } = JSON.parse(text) as { hits: { hits: { _source: LogLine }[] } };
    return hits.hits.map(({ _source }) => _source);
  },
  async remove() {
    await send(`${openSearchUrl}/_data_stream/logs-kerf-${run}`, { method: 'DELETE' });
  },
};

const victoriaLogs: Store = {
  name: 'victoria-logs',
  url: victoriaLogsUrl,
  recipe: 'rsyslog-victoria-logs.conf',
  knowsRepeated: false,
  replace: [['http://127.0.0.1:9428', victoriaLogsUrl]],
  async prepare() {},
  async find(trace) {
    const body = new URLSearchParams({ query: `"trace.id":=${trace} | limit 1000` });
    const headers = { 'content-type': 'application/x-www-form-urlencoded' };
    const text = await send(`${victoriaLogsUrl}/select/logsql/query`, { method: 'POST', body, headers });
    const lines = text.split('\n').filter((line) => line !== '');
    return lines.map((line) => JSON.parse(line));
  },
  async remove() {},
};

for (const store of [openSearch, victoriaLogs]) {
  const isUp = await fetch(store.url).then(
    () => true,
    () => false,
  );
  const needs = `needs ${store.name} and rsyslog: npx kerf services up ${store.name}`;
  describe.skipIf(!isUp || !rsyslogd)(`the log in ${store.name}${isUp && rsyslogd ? '' : ` (${needs})`}`, () => {
    let folder: string;
    let shipper: Shipper;
    beforeEach(async () => {
      folder = newDataDir();
      await store.prepare();
      shipper = await Shipper.start(folder, store);
    });
    afterEach(async () => {
      await shipper.stop();
      await store.remove();
    });

    it('has all lines of an order under its trace, of every module, also while the file is rotated', async () => {
      const env = placements({ name: 'all', out: moduleNames });
      const kerf = await Kerf.start({ env: { ...env, LOG_LEVEL: 'debug', LOG_FILE: shipper.file } });
      onTestFinished(() => kerf.kill());
      const member = await new Shop(kerf.url).join({ phone: '+4915112345678' });
      const order = async () => {
        const body = { lines: [{ sku: 'WAX', quantity: 1 }], payment: { token: 'tok_ok' } };
        const { status, headers } = await member.post('/orders', body, { prefer: 'wait=10' });
        expect(status).toBe(201);
        return traceIdOf(headers);
      };
      const traces = [await order()];
      renameSync(shipper.file, `${shipper.file}.1`);
      traces.push(await order());
      await quiet(kerf);
      expect(await kerf.stop()).toBe(0);
      const log = readFileSync(shipper.file, 'utf8') + readFileSync(`${shipper.file}.1`, 'utf8');
      refuseSecrets(log);
      for (const trace of traces) {
        const written = logLines(log).filter((line) => line['trace.id'] === trace);
        expect(written.map((line) => line['service.name'])).toEqual(expect.arrayContaining(modules));
        const wanted = written.map(idOf).sort();
        let found: string[] = [];
        const isComplete = async () => {
          found = (await store.find(trace)).map(idOf).sort();
          return new Set(found).size >= wanted.length;
        };
        await eventually(isComplete, 'all lines of a trace').catch(() => expect(found).toEqual(wanted));
        expect(store.knowsRepeated ? found : [...new Set(found)]).toEqual(wanted);
      }
      expect(existsSync(shipper.refused) ? readFileSync(shipper.refused, 'utf8') : '').toBe('');
    });
  });
}

const modules = ['orders', 'payments', 'inventory', 'notifications', 'mail'];

/** Identifies a line. VictoriaLogs returns numbers as texts. */
function idOf(line: LogLine): string {
  return `${line['service.node.name']} ${line['event.sequence']}`;
}

/** rsyslog with a recipe of this repository, in a folder of its own. */
class Shipper {
  readonly file: string;
  readonly refused: string;
  private readonly child: ChildProcess;

  private constructor(folder: string, child: ChildProcess) {
    this.file = join(folder, 'log', 'kerf.log');
    this.refused = join(folder, 'log', 'refused.json');
    this.child = child;
  }

  static async start(folder: string, { recipe, replace }: Store): Promise<Shipper> {
    for (const name of ['log', 'state']) mkdirSync(join(folder, name));
    const places = [
      ['/var/log/kerf/', `${join(folder, 'log')}/`],
      ['/var/spool/rsyslog', join(folder, 'state')],
    ] as const;
    let settings = readFileSync(join(recipes, recipe), 'utf8');
    for (const [said, instead] of [...places, ...replace]) {
      expect(settings).toContain(said);
      settings = settings.replaceAll(said, instead);
    }
    const file = join(folder, 'rsyslog.conf');
    writeFileSync(file, settings);
    writeFileSync(join(folder, 'log', 'kerf.log'), 'kerf: a line that is not JSON\n');
    const words = ['-n', '-i', join(folder, 'pid'), '-f', file];
    const child = spawn(rsyslogd!, words, { stdio: ['ignore', 'ignore', 'inherit'] });
    return new Shipper(folder, child);
  }

  async stop(): Promise<void> {
    if (this.child.exitCode !== null) throw new Error(`rsyslog ended with ${this.child.exitCode}`);
    const ended = once(this.child, 'exit');
    this.child.kill('SIGTERM');
    await ended;
  }
}
