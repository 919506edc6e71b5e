// The architecture as data. The rules that follow from it, and what they say to whom breaks them, are in
// scripts/boundaries/rules/; `npm run boundaries` checks them.
import { readModules } from './scripts/boundaries/modules.mjs';
import { builtinRules } from './scripts/boundaries/rules/builtins.mjs';
import { codeRules } from './scripts/boundaries/rules/code.mjs';
import { kernelRules } from './scripts/boundaries/rules/kernel.mjs';
import { moduleRules } from './scripts/boundaries/rules/modules.mjs';
import { vendorRules } from './scripts/boundaries/rules/vendors.mjs';

/** Folder of the kernel → the kernel folders it may import, through their index.ts. */
export const kernel = {
  clock: ['context'],
  context: [],
  errors: [],
  address: ['errors'],
  contract: ['errors'],
  data: ['errors', 'context', 'observability'],
  faults: ['clock', 'errors'],
  ids: [],
  identity: ['clock', 'context', 'errors'],
  observability: ['clock', 'context'],
  routes: ['context', 'contract', 'errors'],
  events: ['address', 'clock', 'context', 'contract', 'data', 'errors', 'faults', 'ids', 'observability'],
  instances: ['clock', 'context', 'data', 'ids', 'observability'],
  saga: ['context', 'clock', 'contract', 'data', 'errors', 'faults', 'instances', 'observability'],
  proto: ['contract', 'errors'],
  resilience: ['clock', 'context', 'contract', 'errors'],
  transport: [
    ...['address', 'clock', 'context', 'contract', 'errors', 'faults'],
    ...['identity', 'ids', 'observability', 'proto', 'resilience'],
  ],
  topology: ['address', 'clock', 'context', 'contract', 'errors', 'faults', 'observability', 'resilience', 'transport'],
  module: [
    ...['clock', 'context', 'contract', 'data', 'errors'],
    ...['events', 'faults', 'ids', 'instances', 'observability', 'routes', 'saga', 'transport'],
  ],
  host: [
    ...['address', 'clock', 'context', 'contract', 'data', 'errors', 'events', 'faults', 'identity'],
    ...['module', 'observability', 'proto', 'resilience', 'routes', 'saga', 'topology', 'transport'],
  ],
  gateway: [
    ...['address', 'clock', 'context', 'contract', 'errors', 'host', 'identity'],
    ...['ids', 'observability', 'routes', 'transport'],
  ],
  testing: ['clock', 'contract', 'data', 'errors', 'instances', 'observability', 'saga'],
};

/** What the kernel offers to a module. The rest decides where modules run, which a module must not know. */
export const kernelForModules = ['clock', 'contract', 'data', 'errors', 'ids', 'module', 'routes', 'saga'];

/** Package → its homes under src/, the only places that may import it. `*` is any one name. */
export const vendors = {
  '@grpc/grpc-js': ['shared/transport/grpc'],
  '@grpc/reflection': ['shared/transport/grpc'],
  '@hono/node-server': ['shared/gateway', 'shared/host'],
  '@nats-io/jetstream': ['shared/events/brokers'],
  '@nats-io/transport-node': ['shared/events/brokers', 'shared/transport/queue'],
  '@node-rs/argon2': ['modules/members/internal'],
  '@platformatic/kafka': ['shared/events/brokers'],
  'better-sqlite3': ['shared/data'],
  'drizzle-orm': [
    ...['shared/data', 'shared/events', 'shared/instances', 'shared/module', 'shared/saga'],
    ...['modules/*/internal'],
  ],
  'grpc-health-check': ['shared/transport/grpc'],
  hono: ['shared/gateway', 'shared/host', 'shared/routes'],
  jose: ['shared/identity'],
  mitt: ['shared/events'],
  nodemailer: ['modules/mail/internal/server'],
  pino: ['shared/observability'],
  protobufjs: ['shared/proto'],
  'rabbitmq-client': ['shared/events/brokers', 'shared/transport/queue'],
  'rate-limiter-flexible': ['shared/gateway'],
  'reflect-metadata': ['shared/module'],
  'swagger-ui-dist': ['shared/gateway'],
  tsyringe: ['shared/module'],
  uuid: ['shared/ids'],
  yaml: ['shared/topology'],
  zod: [
    ...['shared/contract', 'shared/events', 'shared/gateway', 'shared/host', 'shared/identity', 'shared/module'],
    ...[
      'shared/faults',
      'shared/proto',
      'shared/resilience',
      'shared/routes',
      'shared/saga',
      'shared/testing',
      'shared/topology',
    ],
    ...['shared/transport'],
    ...['compositions', 'modules'],
  ],
};

const everywhere = ['app.ts', 'compositions', 'modules', 'shared'];
const kernelOnly = ['shared'];

/**
 * Module of Node → its homes under src/, with their tests. A module that loads or runs code, or opens files, is at home where
 * that is needed; one that is not listed (`module`, `process`, `sqlite`, `cluster`, `repl`…) nothing may import.
 */
export const builtins = {
  assert: everywhere,
  async_hooks: everywhere,
  buffer: everywhere,
  child_process: ['shared/host/services', 'shared/host/run.test.ts', 'shared/contract/compiled/compiled.test.ts'],
  crypto: everywhere,
  dgram: ['shared/topology/discovery'],
  diagnostics_channel: ['shared/transport/grpc'],
  dns: ['shared/topology/discovery'],
  events: everywhere,
  fs: kernelOnly,
  http: kernelOnly,
  http2: ['shared/transport/grpc'],
  https: kernelOnly,
  inspector: ['shared/host/advice'],
  net: kernelOnly,
  os: everywhere,
  path: everywhere,
  perf_hooks: everywhere,
  stream: everywhere,
  string_decoder: everywhere,
  timers: everywhere,
  tls: kernelOnly,
  url: everywhere,
  util: everywhere,
  v8: ['shared/events/backlog.test.ts', 'shared/transport/wire.cases.ts'],
  vm: ['shared/events/backlog.test.ts', 'shared/transport/wire.cases.ts'],
  worker_threads: ['shared/data/opening.test.ts'],
  zlib: everywhere,
};

/** The files under src/ that may ask `import.meta` where they stand: in the bundle every file stands in dist/. */
export const importMeta = ['shared/gateway/reference.ts'];

/** Module → the modules whose contract.ts it may import: those it calls and those it listens to, by its module.json. */
export const borders = readModules(import.meta.dirname);

export default {
  forbidden: [
    ...kernelRules(kernel, kernelForModules),
    ...vendorRules(vendors),
    ...builtinRules(builtins),
    ...moduleRules(borders),
    ...codeRules(kernel, borders),
  ],
  options: {
    tsPreCompilationDeps: true,
    // CommonJS is refused as such (scripts/boundaries/loaders.mjs): a method named require is no import.
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
