import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { Context } from '@opentelemetry/api';
import { expect, it, onTestFinished, vi } from 'vitest';
import { orderSummary } from '../../src/compositions/order-summary.ts';
import { products } from '../../src/compositions/products.ts';
import { sessions } from '../../src/compositions/sessions.ts';
import board from '../../src/modules/board/module.ts';
import catalog from '../../src/modules/catalog/module.ts';
import inventory from '../../src/modules/inventory/module.ts';
import mail from '../../src/modules/mail/module.ts';
import members from '../../src/modules/members/module.ts';
import notifications from '../../src/modules/notifications/module.ts';
import orders from '../../src/modules/orders/module.ts';
import payments from '../../src/modules/payments/module.ts';
import recommendations from '../../src/modules/recommendations/module.ts';
import sms from '../../src/modules/sms/module.ts';
import { http } from '../../src/shared/adapters/http/index.ts';
import { sqlite } from '../../src/shared/adapters/sqlite/index.ts';
import { Adapters } from '../../src/shared/control/adapter-list/index.ts';
import { openGateway } from '../../src/shared/control/gateway/index.ts';
import { openHost } from '../../src/shared/control/host/host.ts';
import { Logs } from '../../src/shared/control/logs/logs.ts';
import { metrics } from '../../src/shared/control/metrics/index.ts';
import type { ControlPart } from '../../src/shared/control/parts/index.ts';
import { readTopology } from '../../src/shared/control/topology/index.ts';
import { traces } from '../../src/shared/control/traces/index.ts';
import { ServiceTracerProvider } from '../../src/shared/control/traces/provider.ts';
import type { KernelListener, Log } from '../../src/shared/kernel/telemetry/index.ts';
import { eventually } from '../harness/kerf.ts';
import { Shop } from '../harness/shop.ts';

setFlagsFromString('--expose-gc');
globalThis.gc ??= runInNewContext('gc');

const modules = [members, catalog, inventory, orders, payments, notifications, mail, sms, board, recommendations];

/** Remembers the objects of requests without keeping them. */
class Watch {
  isOn = false;
  sagasEnded = 0;
  readonly #seen: { readonly what: string; readonly ref: WeakRef<object> }[] = [];

  readonly add = (what: string, object: unknown): void => {
    if (this.isOn && typeof object === 'object' && object !== null) this.#seen.push({ what, ref: new WeakRef(object) });
  };

  get kinds(): string[] {
    return [...new Set(this.#seen.map(({ what }) => what))].sort();
  }

  /** Returns how many objects of each kind are still there. */
  survivors(): Record<string, number> {
    const left = this.#seen.filter(({ ref }) => ref.deref()).map(({ what }) => what);
    return Object.fromEntries([...Map.groupBy(left, (what) => what)].map(([what, all]) => [what, all.length]));
  }

  /** Collects garbage until nothing is left; at most a hundred times. */
  async collected(): Promise<Record<string, number>> {
    for (let turn = 0; turn < 100 && Object.keys(this.survivors()).length > 0; turn++) {
      // A reference that was read stays alive until the end of its turn.
      await new Promise((resolve) => setImmediate(resolve));
      globalThis.gc!();
    }
    return this.survivors();
  }

  /** Watches the calls of a process, and the labels of its metrics. */
  metrics(): ControlPart {
    const part = metrics();
    return {
      ...part,
      open: (around) => {
        const { listener, requestEnded, ...opened } = part.open(around);
        const told = new Proxy(listener!, {
          get: (_, name: keyof KernelListener) => (given: never) => {
            if (name === 'sagaEnded') this.sagasEnded += 1;
            this.add(`label: ${name}`, given);
            listener![name](given);
          },
        });
        return {
          ...opened,
          listener: told,
          requestEnded: (request) => {
            this.add('label: requestEnded', request);
            requestEnded!(request);
          },
          observer: () => (call, next) => {
            this.add('context of a call', call.context);
            return next(call);
          },
          server: () => (call, next) => {
            this.add('context of a served call', call.context);
            return next(call);
          },
        };
      },
    };
  }

  /** Watches the spans and the trace contexts above them. */
  spans(): void {
    const getTracer = ServiceTracerProvider.prototype.getTracer;
    vi.spyOn(ServiceTracerProvider.prototype, 'getTracer').mockImplementation(function (this: never, ...given) {
      const tracer = getTracer.apply(this, given);
      return {
        startActiveSpan: tracer.startActiveSpan.bind(tracer),
        startSpan: (name: string, options: object, context: Context) => {
          const span = tracer.startSpan(name, options, context);
          watch.add('trace context', context);
          watch.add('span', span);
          return span;
        },
      } as never;
    });
  }

  /** Watches the fields of log lines. */
  logs(): void {
    const of = Logs.prototype.of;
    vi.spyOn(Logs.prototype, 'of').mockImplementation(function (this: Logs, name) {
      const log = of.call(this, name);
      const writer = (level: keyof Log) => (fields: object | string, message: string) => {
        watch.add('log record', fields);
        log[level](fields as object, message);
      };
      return { debug: writer('debug'), info: writer('info'), warn: writer('warn'), error: writer('error') } as Log;
    });
  }

  /** Watches the public requests and their answers. */
  requests(): () => void {
    const started = (message: unknown) => {
      const { request, response } = message as { request: object; response: object };
      this.add('request', request);
      this.add('answer', response);
    };
    subscribe('http.server.request.start', started);
    return () => void unsubscribe('http.server.request.start', started);
  }
}

const watch = new Watch();

/** Opens the whole shop in this process. Resolves with the address of its public listener. */
async function openShop(): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'kerf-retention-'));
  const env = {
    ...{ DATA_DIR: folder, PORT: '0', INTERNAL_PORT: '0', RATE_LIMIT_PER_MINUTE: '0' },
    ...{ LOG_LEVEL: 'debug', LOG_FILE: join(folder, 'log') },
    ...{ TRACES_IN_MEMORY: '100', OTEL_TRACES_SAMPLER_ARG: '0.5', TRACE_SLOW_MS: '600000' },
  };
  watch.spans();
  watch.logs();
  const ignoreRequests = watch.requests();
  const topology = readTopology(modules, undefined, env, new Adapters([sqlite(), http()]));
  const host = await openHost(topology, modules, [traces(), watch.metrics()]);
  const gateway = await openGateway(host, [sessions, products, orderSummary]);
  onTestFinished(async () => {
    ignoreRequests();
    host.drain();
    await gateway.close();
    await host.close();
    rmSync(folder, { recursive: true });
    vi.restoreAllMocks();
  });
  return gateway.address;
}

/** Places orders one after the other, and waits until their messages are sent: five sagas each. */
async function order(member: Shop, times: number): Promise<void> {
  const sagas = watch.sagasEnded + 5 * times;
  for (let n = 0; n < times; n++) expect((await member.order('WAX')).status).toBe(201);
  await eventually(async () => watch.sagasEnded >= sagas, 'the end of all sagas');
}

it('nothing of a finished request is kept, whether its trace is sampled or not', async () => {
  const member = await new Shop(await openShop()).join({ phone: '+82 10 1234 5678' });
  await order(member, 2);
  watch.isOn = true;
  await order(member, 20);
  watch.isOn = false;
  // The latest spans stay in memory, and a connection its latest request.
  await order(member, 5);
  expect(watch.kinds).toEqual([
    ...['answer', 'context of a call', 'context of a served call'],
    ...['label: committed', 'label: dispatched', 'label: handled', 'label: requestEnded', 'label: sagaEnded'],
    ...['log record', 'request', 'span', 'trace context'],
  ]);
  expect(await watch.collected()).toEqual({});
});
