import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { freePort } from './free-port.ts';
import { Jars, javaOptions } from './jars.ts';
import type { Kind, Place } from './kind.ts';
import { pathOf } from './processes.ts';

/** The jars of `kafka_2.13`. */
const jars = new Jars('kafka', '4.1.1', 'kafka-jars.txt');

/** `log.flush.interval.messages=1`: acknowledged messages are on disk, not only in memory. */
const settings = ({ port, controllerPort, folder }: Place & { controllerPort: number }) => `
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:${controllerPort}
controller.listener.names=CONTROLLER
listeners=PLAINTEXT://127.0.0.1:${port},CONTROLLER://127.0.0.1:${controllerPort}
advertised.listeners=PLAINTEXT://127.0.0.1:${port}
log.dirs=${join(folder, 'data')}
log.flush.interval.messages=1
auto.create.topics.enable=false
default.replication.factor=1
offsets.topic.replication.factor=1
offsets.topic.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=4
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
share.coordinator.state.topic.num.partitions=4
group.initial.rebalance.delay.ms=0
group.consumer.min.session.timeout.ms=1000
group.min.session.timeout.ms=1000
num.network.threads=2
num.io.threads=2
log.cleaner.dedupe.buffer.size=4194304
`;

export const kafka: Kind = {
  name: 'kafka',
  port: 19092,
  variable: 'SERVER_KAFKA_URL',
  url: (port) => `kafka://127.0.0.1:${port}`,

  installed: () => jars.installed(),
  install: () => jars.install(),

  async prepare({ port, folder }) {
    const file = join(folder, 'server.properties');
    writeFileSync(file, settings({ port, folder, controllerPort: await freePort() }));
    if (existsSync(join(folder, 'data', 'meta.properties'))) return;
    const id = randomBytes(16).toString('base64url');
    const words = java('kafka.tools.StorageTool', 'format', `--cluster-id=${id}`, '--config', file);
    const { status, stdout, stderr } = spawnSync(pathOf('java'), words, { encoding: 'utf8' });
    if (status !== 0) throw new Error(`the storage of Kafka cannot be formatted:\n${stdout}${stderr}`);
  },
  commands: ({ folder }) => [
    { program: pathOf('java'), words: java('kafka.Kafka', join(folder, 'server.properties')), env: process.env },
  ],

  hello: metadataRequest(),
  /** Expects a header, a throttle time, and at least one ready broker. */
  answer: (heard) => heard.length >= 16 && heard.readInt32BE(12) > 0,
  stopSignal: 'SIGTERM',
};

function java(main: string, ...words: string[]): string[] {
  return ['-Xmx512m', '-Xms128m', ...javaOptions, '-cp', jars.files.join(delimiter), main, ...words];
}

/** A metadata request, version 5, without topics. */
function metadataRequest(): Buffer {
  const body = Buffer.concat([
    Buffer.from([0, 3, 0, 5, 0, 0, 0, 1, 0, 4]),
    Buffer.from('kerf'),
    Buffer.from([0, 0, 0, 0, 0]),
  ]);
  const length = Buffer.alloc(4);
  length.writeInt32BE(body.length);
  return Buffer.concat([length, body]);
}
