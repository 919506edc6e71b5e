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
import { dns } from './shared/adapters/dns/index.ts';
import { file } from './shared/adapters/file/index.ts';
import { grpc } from './shared/adapters/grpc/index.ts';
import { http } from './shared/adapters/http/index.ts';
import { kafka } from './shared/adapters/kafka/index.ts';
import { nats } from './shared/adapters/nats/index.ts';
import { otlp } from './shared/adapters/otlp/index.ts';
import { rabbitmq } from './shared/adapters/rabbitmq/index.ts';
import { sqlite } from './shared/adapters/sqlite/index.ts';
import { zipkin } from './shared/adapters/zipkin/index.ts';
import { advice } from './shared/control/advice/index.ts';
import { faults } from './shared/control/faults/index.ts';
import { run } from './shared/control/host/index.ts';
import { logExport } from './shared/control/log-export/index.ts';
import { metrics } from './shared/control/metrics/index.ts';
import { traces } from './shared/control/traces/index.ts';
import { trials } from './shared/control/trials/index.ts';

// Modules hold the business code. Compositions serve HTTP resources of several modules. Each adapter is one technology. The parts of control are
// tools for operators: a product may leave each out.
await run({
  modules: [members, catalog, inventory, orders, payments, notifications, mail, sms, board, recommendations],
  compositions: [sessions, products, orderSummary],
  adapters: [sqlite(), http(), grpc(), rabbitmq(), kafka(), nats(), dns(), file(), otlp(), zipkin()],
  control: [traces(), logExport(), metrics(), trials(), advice(), faults()],
});
