import { dns } from 'kerf/adapters/dns';
import { file } from 'kerf/adapters/file';
import { grpc } from 'kerf/adapters/grpc';
import { http } from 'kerf/adapters/http';
import { kafka } from 'kerf/adapters/kafka';
import { nats } from 'kerf/adapters/nats';
import { otlp } from 'kerf/adapters/otlp';
import { rabbitmq } from 'kerf/adapters/rabbitmq';
import { sqlite } from 'kerf/adapters/sqlite';
import { zipkin } from 'kerf/adapters/zipkin';
import { advice } from 'kerf/control/advice';
import { faults } from 'kerf/control/faults';
import { run } from 'kerf/control/host';
import { logExport } from 'kerf/control/log-export';
import { metrics } from 'kerf/control/metrics';
import { traces } from 'kerf/control/traces';
import { trials } from 'kerf/control/trials';
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

// Modules hold the business code. Compositions serve HTTP resources of several modules. Each adapter is one technology. The parts of control are
// tools for operators: a product may leave each out.
await run({
  modules: [members, catalog, inventory, orders, payments, notifications, mail, sms, board, recommendations],
  compositions: [sessions, products, orderSummary],
  adapters: [sqlite(), http(), grpc(), rabbitmq(), kafka(), nats(), dns(), file(), otlp(), zipkin()],
  control: [traces(), logExport(), metrics(), trials(), advice(), faults()],
});
