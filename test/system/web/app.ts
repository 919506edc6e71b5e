import { grpc } from 'kerf/adapters/grpc';
import { http } from 'kerf/adapters/http';
import { nats } from 'kerf/adapters/nats';
import { rabbitmq } from 'kerf/adapters/rabbitmq';
import { sqlite } from 'kerf/adapters/sqlite';
import { run } from 'kerf/control/host';
import shelf from './shelf/module.ts';

await run({
  modules: [shelf],
  compositions: [],
  control: [],
  adapters: [sqlite(), http(), grpc(), rabbitmq(), nats()],
});
