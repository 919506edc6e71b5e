import { randomUUID } from 'node:crypto';
import { createConnection } from 'node:net';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { openLoopback } from '../../src/shared/adapters/http/loopback.scene.ts';
import { openBus } from '../../src/shared/control/bus/index.ts';
import { createCall } from '../../src/shared/kernel/calls/index.ts';
import { systemClock } from '../../src/shared/kernel/context/index.ts';
import { refusal } from '../../src/shared/kernel/errors/index.ts';
import type { SubscriptionMap } from '../../src/shared/kernel/events/bus.ts';
import { type Bus, createPush, parseEvent, type Receive } from '../../src/shared/kernel/events/index.ts';
import { silentLog } from '../../src/shared/kernel/telemetry/index.ts';
import { adapters } from '../../test/harness/adapters.ts';

/** A bus, and the function that connects a subscribing module to its events. */
export interface Carrier {
  readonly name: string;
  readonly bus: Bus;
  attach(module: string, receive: Receive): Promise<() => Promise<void>>;
  close(): Promise<void>;
}

/** Opens the bus that the settings name. Pushed events use a loopback connection to an internal listener in this process. */
export async function carryBy(bus: string, subscriptions: SubscriptionMap): Promise<Carrier> {
  const receivers = new Map<string, Receive>();
  const loopback = await openLoopback(async (module, _operation, input) => {
    const take = receivers.get(module);
    if (!take) throw refusal('unavailable', `${module} is away`);
    const { events } = input as { events: string[] };
    await Promise.all(events.map((event) => take(parseEvent(event))));
    return {};
  });
  const links = new Map(subscriptions.modules.map((module) => [module, loopback.link(module)]));
  const push = createPush((operation, caller) => createCall(operation, caller, () => links.get(operation.module)!));
  const opened = await openBus({
    ...{ bus, subscriptions, push, clock: systemClock, log: silentLog },
    busOpenerFor: (url) => adapters.busOpenerFor(url),
  });
  return {
    name: bus.split(':', 1)[0]!,
    bus: opened,
    attach(module, receiver) {
      receivers.set(module, receiver);
      return opened.subscribe(module, receiver);
    },
    async close() {
      await opened.close();
      await loopback.close();
    },
  };
}

/** Returns the URLs of the available brokers, each with a private namespace. Reports the other brokers as not measured. */
export async function brokersThatAnswer(): Promise<string[]> {
  const { addressOf, kinds } = await services();
  const urls: string[] = [];
  for (const name of ['rabbitmq', 'kafka', 'nats'] as const) {
    const url = addressOf(kinds[name]);
    if (await accepts(url)) urls.push(`${url}?namespace=bench-${randomUUID()}`);
    else console.log(`${name} is not measured: it does not answer; run: npx kerf services up ${name}`);
  }
  return urls;
}

/** Loads the script outside the bundle, because it reads files next to itself. */
function services(): Promise<typeof import('../../scripts/services/index.ts')> {
  return import(pathToFileURL(join(process.cwd(), 'scripts', 'services', 'index.ts')).href);
}

function accepts(url: string): Promise<boolean> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve) => {
    const socket = createConnection({ host: hostname, port: Number(port), timeout: 500 });
    for (const event of ['connect', 'error', 'timeout'] as const) {
      socket.once(event, () => {
        socket.destroy();
        resolve(event === 'connect');
      });
    }
  });
}
