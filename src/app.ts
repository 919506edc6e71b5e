import { orderSummary } from './compositions/order-summary.ts';
import { products } from './compositions/products.ts';
import { sessions } from './compositions/sessions.ts';
import board from './modules/board/module.ts';
import catalog from './modules/catalog/module.ts';
import inventory from './modules/inventory/module.ts';
import mail from './modules/mail/module.ts';
import members from './modules/members/module.ts';
import notifications from './modules/notifications/module.ts';
import orders from './modules/orders/module.ts';
import payments from './modules/payments/module.ts';
import recommendations from './modules/recommendations/module.ts';
import sms from './modules/sms/module.ts';
import { openGateway } from './shared/gateway/index.ts';
import {
  announce,
  openHost,
  printIdentity,
  printModules,
  printProto,
  readCommandLine,
  rotateKeys,
  runUntilStopped,
} from './shared/host/index.ts';
import { readTopology } from './shared/topology/index.ts';

const modules = [members, catalog, inventory, orders, payments, notifications, mail, sms, board, recommendations];
const compositions = [sessions, products, orderSummary];

await runUntilStopped(async () => {
  const { only, json, acceptLoss, newKeys, revoke, identity, proto, ...print } = readCommandLine(process.argv.slice(2));
  if (proto) return printProto(modules, proto);
  if (print.modules) return printModules(modules);
  const topology = readTopology(modules, only, process.env);
  if (newKeys) return rotateKeys(topology, revoke);
  if (identity) return printIdentity(topology, identity);
  const host = await openHost(topology, modules, acceptLoss);
  const gateway = only ? undefined : await openGateway(host, compositions);
  await announce(host, gateway?.address, json);
  return {
    drainDelayMs: topology.settings.DRAIN_DELAY_MS,
    announceStop() {
      host.announceStop();
      gateway?.announceStop();
    },
    async close() {
      host.drain();
      await gateway?.close();
      await host.close();
    },
  };
});
