import { dns } from '../../src/shared/adapters/dns/index.ts';
import { file } from '../../src/shared/adapters/file/index.ts';
import { grpc } from '../../src/shared/adapters/grpc/index.ts';
import { http } from '../../src/shared/adapters/http/index.ts';
import { kafka } from '../../src/shared/adapters/kafka/index.ts';
import { nats } from '../../src/shared/adapters/nats/index.ts';
import { otlp } from '../../src/shared/adapters/otlp/index.ts';
import { rabbitmq } from '../../src/shared/adapters/rabbitmq/index.ts';
import { sqlite } from '../../src/shared/adapters/sqlite/index.ts';
import { zipkin } from '../../src/shared/adapters/zipkin/index.ts';
import { Adapters } from '../../src/shared/control/adapter-list/index.ts';

/** Every adapter of the repository. */
export const allAdapters = [sqlite(), http(), grpc(), rabbitmq(), kafka(), nats(), dns(), file(), otlp(), zipkin()];
export const adapters = new Adapters(allAdapters);
