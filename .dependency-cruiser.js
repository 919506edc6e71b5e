// @ts-check
// The architecture as data. The rules that follow from it, with their messages for a developer who breaks one, are in
// scripts/boundaries/rules/; `npm run boundaries` checks them.
import { readModules } from './scripts/boundaries/modules.ts';
import { builtinRules } from './scripts/boundaries/rules/builtins.ts';
import { codeRules } from './scripts/boundaries/rules/code.ts';
import { moduleRules } from './scripts/boundaries/rules/modules.ts';
import { ringRules } from './scripts/boundaries/rules/rings.ts';
import { vendorRules } from './scripts/boundaries/rules/vendors.ts';

/**
 * src/shared/ is built in three rings. The kernel is what a module, a call, an event and a saga are; it imports neither of the others.
 * Each adapter is one technology; it imports the kernel alone, and can be deleted. Control is the system around the modules; it imports the
 * kernel, and reaches adapters by their ports. src/app.ts lists what a product has of each.
 *
 * Room of the kernel → the rooms of the kernel that it may import, through their index.ts.
 */
export const kernel = {
  errors: [],
  context: [],
  telemetry: ['context', 'errors'],
  contract: ['errors'],
  database: ['errors'],
  'database-engine': ['context', 'database', 'errors', 'telemetry'],
  'leader-election': ['context', 'database', 'telemetry'],
  calls: ['context', 'contract', 'errors', 'telemetry'],
  'http-api': ['context', 'contract', 'errors'],
  'http-listener': ['context', 'errors', 'telemetry'],
  events: ['calls', 'context', 'contract', 'database', 'errors', 'telemetry'],
  saga: ['context', 'contract', 'database', 'errors', 'leader-election', 'telemetry'],
  module: [
    ...['calls', 'context', 'contract', 'database', 'errors', 'events'],
    ...['http-api', 'leader-election', 'saga', 'telemetry'],
  ],
  ports: ['calls', 'context', 'contract', 'database-engine', 'errors', 'events', 'telemetry'],
  testing: [
    ...[
      'calls',
      'context',
      'contract',
      'database',
      'errors',
      'events',
      'leader-election',
      'module',
      'saga',
      'telemetry',
    ],
  ],
};

/** Room of control → the rooms of control that it may import. */
export const control = {
  logs: [],
  'admin-contract': ['logs'],
  releases: [],
  identity: [],
  'http-server': [],
  bus: [],
  queue: [],
  routing: [],
  'adapter-list': ['queue'],
  gateway: ['http-server', 'identity', 'logs', 'routing'],
  topology: ['adapter-list', 'admin-contract', 'http-server', 'logs', 'routing'],
  supervisor: ['adapter-list', 'identity', 'logs', 'routing', 'topology'],
  'admin-api': ['admin-contract', 'identity', 'logs', 'routing'],
  relocation: ['adapter-list', 'admin-api', 'admin-contract', 'releases', 'routing', 'supervisor', 'topology'],
  parts: ['admin-api', 'gateway', 'identity', 'logs', 'relocation', 'routing', 'supervisor', 'topology'],
  exporting: ['parts'],
  host: [
    ...['adapter-list', 'admin-api', 'admin-contract', 'bus', 'gateway', 'http-server', 'identity', 'logs'],
    ...['parts', 'queue', 'relocation', 'releases', 'routing', 'supervisor', 'topology'],
  ],
};

/** The rooms of control that a product may leave out. Only src/app.ts imports them. */
export const controlParts = ['advice', 'faults', 'log-export', 'metrics', 'traces', 'trials'];

/** The rooms of control that are offered to those parts, also to parts that are yet to be written. */
export const controlForParts = [
  ...['adapter-list', 'admin-api', 'admin-contract', 'exporting', 'parts', 'relocation'],
  ...['routing', 'supervisor'],
];

/** The rooms of the kernel that are offered to adapters, also to those that are yet to be written. */
export const kernelForAdapters = [
  ...['calls', 'context', 'contract', 'database', 'database-engine', 'errors', 'events'],
  ...['http-listener', 'ports', 'telemetry'],
];

/** The rooms of the kernel that are offered to compositions. */
export const kernelForCompositions = ['contract', 'errors', 'http-api'];

/** The rooms of the kernel that are offered to modules. */
export const kernelForModules = ['context', 'contract', 'database', 'errors', 'http-api', 'module', 'saga'];

/** Package → its homes under src/, the only places that may import it. `*` is any one name. */
export const vendors = {
  '@elastic/ecs-pino-format': ['shared/control/logs'],
  '@grpc/grpc-js': ['shared/adapters/grpc'],
  '@grpc/reflection': ['shared/adapters/grpc'],
  '@hono/node-server': ['shared/control/gateway', 'shared/control/host'],
  '@nats-io/jetstream': ['shared/adapters/nats'],
  '@nats-io/transport-node': ['shared/adapters/nats'],
  '@node-rs/argon2': ['modules/members/internal'],
  '@opentelemetry/api': [
    ...['shared/kernel/context', 'shared/kernel/events', 'shared/kernel/telemetry'],
    ...['shared/control/exporting', 'shared/control/gateway', 'shared/control/log-export', 'shared/control/logs'],
    ...['shared/control/metrics', 'shared/control/traces', 'modules'],
  ],
  '@opentelemetry/core': ['shared/kernel/telemetry', 'shared/control/exporting', 'shared/control/traces'],
  '@opentelemetry/exporter-logs-otlp-grpc': ['shared/adapters/otlp'],
  '@opentelemetry/exporter-logs-otlp-proto': ['shared/adapters/otlp'],
  '@opentelemetry/exporter-trace-otlp-grpc': ['shared/adapters/otlp'],
  '@opentelemetry/exporter-trace-otlp-proto': ['shared/adapters/otlp'],
  '@opentelemetry/exporter-zipkin': ['shared/adapters/zipkin'],
  '@opentelemetry/instrumentation-undici': ['shared/control/traces'],
  '@opentelemetry/resources': ['shared/control/log-export', 'shared/control/traces'],
  '@opentelemetry/sdk-logs': ['shared/control/log-export', 'shared/kernel/ports'],
  '@opentelemetry/sdk-trace-base': ['shared/control/traces', 'shared/kernel/ports'],
  '@platformatic/kafka': ['shared/adapters/kafka'],
  'better-sqlite3': ['shared/adapters/sqlite'],
  // Only the command line in scripts/ uses it.
  commander: [],
  croner: ['shared/kernel/module'],
  'drizzle-orm': [
    ...[
      'shared/adapters/sqlite',
      'shared/kernel/database',
      'shared/kernel/database-engine',
      'shared/kernel/events',
      'shared/kernel/leader-election',
      'shared/kernel/module',
      'shared/kernel/saga',
    ],
    ...['modules/*/internal'],
  ],
  'grpc-health-check': ['shared/adapters/grpc'],
  hono: [
    'shared/control/admin-api',
    'shared/control/gateway',
    'shared/control/host',
    'shared/control/relocation',
    'shared/kernel/http-api',
    // Middleware of public resources.
    ...['compositions', 'modules'],
  ],
  jose: ['shared/control/identity'],
  mitt: ['shared/kernel/events'],
  nodemailer: ['modules/mail/internal'],
  pino: ['shared/control/logs'],
  'prom-client': ['shared/control/metrics'],
  protobufjs: ['shared/adapters/grpc', 'shared/control/traces'],
  'rabbitmq-client': ['shared/adapters/rabbitmq'],
  'rate-limiter-flexible': ['shared/control/gateway'],
  'reflect-metadata': ['shared/kernel/module'],
  'swagger-ui-dist': ['shared/control/gateway'],
  tsyringe: ['shared/kernel/module'],
  uuid: ['shared/kernel/context'],
  yaml: ['shared/control/topology'],
  zod: [
    ...['shared/kernel/calls', 'shared/kernel/contract', 'shared/kernel/events', 'shared/kernel/http-api'],
    ...['shared/kernel/module', 'shared/kernel/ports', 'shared/kernel/saga', 'shared/kernel/testing'],
    ...['shared/adapters/grpc', 'shared/adapters/http'],
    ...[
      'shared/control/admin-api',
      'shared/control/admin-contract',
      'shared/control/advice',
      'shared/control/faults',
      'shared/control/gateway',
      'shared/control/host',
      'shared/control/identity',
      'shared/control/queue',
      'shared/control/relocation',
      'shared/control/releases',
      'shared/control/routing',
      'shared/control/supervisor',
      'shared/control/topology',
      'shared/control/traces',
    ],
    ...['compositions', 'modules'],
  ],
};

const everywhere = ['app.ts', 'compositions', 'modules', 'shared'];
const sharedOnly = ['shared'];

/**
 * Module of Node → its homes under src/, with their tests. A module that loads or runs code, or opens files, is at home where
 * that is needed; one that is not listed (`module`, `process`, `sqlite`, `cluster`, `repl`…) nothing may import.
 */
export const builtins = {
  assert: everywhere,
  async_hooks: everywhere,
  buffer: everywhere,
  child_process: [
    'shared/control/supervisor/processes',
    'shared/control/host/run.test.ts',
    'shared/control/host/product.test.ts',
    'shared/kernel/contract/compiled/compiled.test.ts',
  ],
  crypto: everywhere,
  dgram: ['shared/adapters/dns'],
  diagnostics_channel: ['shared/adapters/grpc'],
  dns: ['shared/adapters/dns'],
  events: everywhere,
  fs: sharedOnly,
  http: sharedOnly,
  http2: ['shared/adapters/grpc'],
  https: sharedOnly,
  inspector: ['shared/control/advice'],
  net: sharedOnly,
  os: everywhere,
  path: everywhere,
  perf_hooks: everywhere,
  stream: everywhere,
  string_decoder: everywhere,
  timers: everywhere,
  tls: sharedOnly,
  url: everywhere,
  util: everywhere,
  v8: [
    'shared/kernel/events/backlog.test.ts',
    'shared/kernel/ports/wire.cases.ts',
    'shared/control/traces/trace-memory.test.ts',
  ],
  vm: [
    'shared/kernel/events/backlog.test.ts',
    'shared/kernel/ports/wire.cases.ts',
    'shared/control/traces/trace-memory.test.ts',
  ],
  worker_threads: ['shared/adapters/sqlite/opening.test.ts'],
  zlib: everywhere,
};

/** The files under src/ that may ask `import.meta` where they stand: in the bundle every file stands in dist/. */
export const importMeta = ['shared/control/gateway/reference.ts'];

/** Module → the modules whose contract.ts it may import: those it calls and those it listens to, by its module.json. */
export const borders = readModules(import.meta.dirname);

/** @satisfies {import('./scripts/boundaries/architecture.ts').Configuration} */
const configuration = {
  forbidden: [
    ...ringRules({
      ...{ kernel, control, controlParts, controlForParts },
      ...{ kernelForAdapters, kernelForModules, kernelForCompositions },
    }),
    ...vendorRules(vendors),
    ...builtinRules(builtins),
    ...moduleRules(borders),
    ...codeRules({ kernel, control, controlParts }, borders),
  ],
  options: {
    tsPreCompilationDeps: true,
    // CommonJS is refused as such (scripts/boundaries/loaders.ts): a method named require is no import.
    moduleSystems: ['es6', 'tsd'],
    detectJSDocImports: true,
    detectImportsInAmbientModules: true,
    doNotFollow: { path: 'node_modules' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['node', 'import', 'default'],
      extensions: ['.ts', '.mjs', '.js', '.json', '.node'],
    },
  },
};

export default configuration;
