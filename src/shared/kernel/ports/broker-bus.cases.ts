import { randomUUID } from 'node:crypto';
import {
  describeWith,
  type PrivateServer,
  type ServerName,
  unavailableServer,
} from '../../../../test/harness/servers.ts';
import { busCases, type OpenedBus } from '../events/bus.cases.ts';
import type { SubscriptionMap } from '../events/index.ts';
import { type Log, silentLog } from '../telemetry/index.ts';

/** Returns a broker's address with a unique namespace. */
export function inNamespace(server: string, settings: Record<string, string> = {}): URL {
  return new URL(`${server}?${new URLSearchParams({ namespace: `test-${randomUUID()}`, ...settings })}`);
}

/** Runs the cases of every bus and of every broker on a real server. A case that kills the server gets a private one. */
export function brokerCases(
  name: ServerName,
  open: (url: URL, subscriptions: SubscriptionMap, log: Log) => OpenedBus | Promise<OpenedBus>,
): void {
  describeWith(name, `events by ${name}`, ({ url }) => {
    busCases(
      name,
      async (subscriptions) => open(inNamespace(url), subscriptions, silentLog),
      async (subscriptions) => {
        const place = await unavailableServer(name);
        const { log, lines } = recordingLog();
        const opened = await open(inNamespace(place.url), subscriptions, log);
        let server: PrivateServer | undefined;
        return {
          ...opened,
          broker: place.url.replace(/\/\/.*@/, '//'),
          lines,
          async startServer() {
            server = await place.start();
          },
          async restart(meanwhile) {
            await server!.kill();
            await meanwhile();
            await server!.restart();
          },
          async close() {
            await opened.bus.close();
            await server?.stop();
          },
        };
      },
    );
  });
}

/** Returns a log that records its lines of the levels warn and error. */
export function recordingLog(): { log: Log; lines: [level: string, message: string, fields: object][] } {
  const lines: [string, string, object][] = [];
  const at = (level: string) => (fields: object, message: string) => void lines.push([level, message, fields]);
  return { log: { ...silentLog, warn: at('warn'), error: at('error') } as Log, lines };
}
