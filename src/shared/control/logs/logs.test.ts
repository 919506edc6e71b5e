import { existsSync, mkdtempSync, readFileSync, renameSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { runInContext } from '../../kernel/context/index.ts';
import { fromTraceFields } from '../../kernel/telemetry/index.ts';
import { type LineWriter, logsToFile, openDestination } from './destination.ts';
import { type LogLevels, readLevels } from './levels.ts';
import { Logs } from './logs.ts';

afterEach(() => vi.useRealTimers());

type Line = Record<string, unknown> & { kerf?: Record<string, unknown>; error?: Record<string, string> };

/** Opens logs whose lines end in a list. */
function opened(levels: LogLevels = { default: 'debug', modules: {} }) {
  const lines: Line[] = [];
  const logs = new Logs(levels, { write: (line) => lines.push(JSON.parse(line)) });
  return { logs, lines };
}

it('continues in a new file after the old one was moved: with the next line, on SIGHUP, or automatically', async () => {
  vi.useFakeTimers();
  expect(logsToFile()).toBe(false);
  const file = join(mkdtempSync(join(tmpdir(), 'kerf-log-')), 'logs', 'kerf.log');
  const listeners = process.listeners('SIGHUP');
  const writer = openDestination({ file }) as LineWriter;
  const log = new Logs({ default: 'warn', modules: {} }, writer).of('home');
  const [reopen] = process.listeners('SIGHUP').filter((each) => !listeners.includes(each));
  const said = (name: string) =>
    readFileSync(name, 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line).message);
  log.warn('first');
  await writer.flush();
  renameSync(file, `${file}.1`);
  log.warn('second');
  await writer.flush();
  renameSync(file, `${file}.2`);
  expect(existsSync(file)).toBe(false);
  reopen!('SIGHUP');
  expect(existsSync(file)).toBe(true);
  log.warn('third');
  await writer.flush();
  renameSync(file, `${file}.3`);
  vi.advanceTimersByTime(1_000);
  expect(existsSync(file)).toBe(true);
  log.warn('fourth');
  await writer.flush();
  expect([1, 2, 3].map((number) => said(`${file}.${number}`))).toEqual([['first'], ['second'], ['third']]);
  expect([said(file), logsToFile()]).toEqual([['fourth'], true]);
  process.off('SIGHUP', reopen!);
});

describe('a line', () => {
  const trace = '4bf92f3577b34da6a3ce929d0e0e4736';
  const traced = fromTraceFields({ traceparent: `00-${trace}-00f067aa0ba902b7-01` })!;

  it('has the fields of Elastic Common Schema, and its own below kerf', () => {
    const { logs, lines } = opened();
    const context = { requestId: 'request-7', caller: 'gateway', deadline: 0, trace: traced };
    runInContext(context, () => logs.of('payments').warn({ attempts: 3, method: 'GET', path: '/a?token=b' }, 'late'));
    expect(lines).toEqual([
      {
        '@timestamp': expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
        'log.level': 'warn',
        'ecs.version': expect.stringMatching(/^8\./),
        'process.pid': process.pid,
        'host.hostname': hostname(),
        'service.name': 'payments',
        'service.node.name': `${hostname()}:${process.pid}`,
        'event.dataset': 'payments',
        'event.sequence': 1,
        'trace.id': trace,
        'span.id': '00f067aa0ba902b7',
        'http.request.id': 'request-7',
        'http.request.method': 'GET',
        'url.path': '/a',
        kerf: { attempts: 3 },
        message: 'late',
      },
    ]);
  });

  it('has each field once', () => {
    const texts: string[] = [];
    const { logs } = opened();
    logs.alsoTo({ write: (line) => texts.push(line) });
    logs.of('payments').warn({ message: 'mine', 'service.name': 'mine', 'ecs.version': 1, kerf: 2 }, 'said');
    const names = [...texts[0]!.matchAll(/"([\w@.]+)":/g)].map(([, name]) => name).slice(0, -4);
    expect(new Set(names).size).toBe(names.length);
    expect(JSON.parse(texts[0]!)).toMatchObject({ message: 'said', 'service.name': 'payments', kerf: { kerf: 2 } });
  });

  it('names no trace when the call belongs to none', () => {
    const { logs, lines } = opened();
    const context = { requestId: 'r', caller: 'gateway', deadline: 0 };
    runInContext(context, () => logs.of('payments').warn('late'));
    logs.of('payments').warn('late');
    expect(lines.flatMap((line) => Object.keys(line).filter((name) => /^(trace|span)/.test(name)))).toEqual([]);
  });

  it('describes an error, with the stacks of its causes', () => {
    const { logs, lines } = opened();
    const root = Object.assign(new RangeError('the root'), { code: 'EIO' });
    const error = Object.assign(new TypeError('the effect', { cause: new Error('between', { cause: root }) }), {
      code: 'E1',
      answer: { password: 'x' },
    });
    logs.of('payments').error({ error }, 'failed');
    logs.of('payments').error(new AggregateError([root], 'all failed'));
    logs.of('payments').error({ error: 'a text' }, 'failed');
    expect(lines[0]!.error).toEqual({
      type: 'TypeError',
      message: 'the effect',
      code: 'E1',
      stack_trace: expect.stringMatching(
        /^TypeError: the effect\n[\s\S]+\ncaused by: Error: between\n[\s\S]+\ncaused by: RangeError: the root\n/,
      ),
    });
    expect(lines[1]).toMatchObject({
      message: 'all failed',
      error: { type: 'AggregateError', stack_trace: expect.stringContaining('caused by: RangeError: the root') },
    });
    expect(lines[2]!.error).toEqual({ message: 'a text' });
  });

  it('survives values that cannot be read, and destinations that fail', () => {
    const { logs, lines } = opened();
    const log = logs.of('payments');
    const hostile = {
      get method() {
        throw new Error('no');
      },
      get error() {
        throw new Error('no');
      },
    };
    const cyclic: Record<string, unknown> = {};
    cyclic.self = cyclic;
    const error = Object.defineProperty(new Error('x', { cause: cyclic }), 'stack', {
      get() {
        throw new Error('no');
      },
    });
    logs.alsoTo({
      write() {
        throw new Error('full');
      },
    });
    for (const fields of [hostile, cyclic, { error }, null, 1n, Symbol('s'), () => {}, [1], new Proxy({}, nothing)])
      log.warn(fields as object, 'said');
    log.warn(undefined as unknown as string);
    expect(lines.map(({ message }) => message)).toEqual([...Array.from({ length: 9 }, () => 'said'), '']);
  });

  const nothing: ProxyHandler<object> = {
    ownKeys() {
      throw new Error('no');
    },
    get() {
      throw new Error('no');
    },
  };
});

describe('levels', () => {
  it.each([
    ['info', { default: 'info', modules: {} }],
    ['info,payments=debug, sign-up=silent', { default: 'info', modules: { payments: 'debug', 'sign-up': 'silent' } }],
    ['payments=debug', { default: 'warn', modules: { payments: 'debug' } }],
    ['', undefined],
    ['loud', undefined],
    ['info,debug', undefined],
    ['payments=', undefined],
    ['payments=info,payments=debug', undefined],
    ['=info', undefined],
  ])('"%s" are read', (text, levels) => {
    expect(readLevels(text)).toEqual(levels);
  });

  it('belong to each module, and change while logs are in use', () => {
    const { logs, lines } = opened({ default: 'info', modules: { payments: 'debug' } });
    const logAll = () => {
      for (const name of ['payments', 'orders', 'constructor']) {
        logs.of(name).debug('debug');
        logs.of(name).info('info');
      }
      return lines.splice(0).map((line) => `${line['service.name']} ${line.message}`);
    };
    expect(logAll()).toEqual(['payments debug', 'payments info', 'orders info', 'constructor info']);
    expect([logs.writes('payments', 'debug'), logs.writes('orders', 'debug')]).toEqual([true, false]);
    logs.setLevels({ default: 'silent', modules: { orders: 'debug' } });
    expect(logAll()).toEqual(['orders debug', 'orders info']);
    expect(logs.writes('payments', 'error')).toBe(false);
  });
});
