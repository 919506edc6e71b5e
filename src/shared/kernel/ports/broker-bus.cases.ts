import { randomUUID } from 'node:crypto';
import { describeWith, privateServer, type ServerName } from '../../../../test/harness/servers.ts';
import { busCases, type OpenedBus } from '../events/bus.cases.ts';
import type { SubscriptionMap } from '../events/index.ts';

/** Returns a broker's address with a unique namespace. */
export function inNamespace(server: string, settings: Record<string, string> = {}): URL {
  return new URL(`${server}?${new URLSearchParams({ namespace: `test-${randomUUID()}`, ...settings })}`);
}

/** Runs the cases of every bus and of every broker on a real server. A case that kills the server gets a private one. */
export function brokerCases(
  name: ServerName,
  open: (url: URL, subscriptions: SubscriptionMap) => OpenedBus | Promise<OpenedBus>,
): void {
  describeWith(name, `events by ${name}`, ({ url }) => {
    busCases(
      name,
      async (subscriptions) => open(inNamespace(url), subscriptions),
      async (subscriptions) => {
        const server = await privateServer(name);
        const opened = await open(inNamespace(server.url), subscriptions);
        return {
          ...opened,
          async restart(meanwhile) {
            await server.kill();
            await meanwhile();
            await server.restart();
          },
          async close() {
            await opened.bus.close();
            await server.stop();
          },
        };
      },
    );
  });
}
