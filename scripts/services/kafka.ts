import { spawnSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { messageOf, root } from '../setup.mjs';
import { freePort } from './free-port.ts';
import type { Kind, Place } from './kind.ts';
import { installPackages } from './packages.ts';
import { pathOf } from './processes.ts';

const repository = 'https://repo.maven.apache.org/maven2';
/** The jars of `kafka_2.13` 4.1.1: SHA-256 and path in the repository. */
const jars = readFileSync(new URL('kafka-jars.txt', import.meta.url), 'utf8')
  .trim()
  .split('\n')
  .map((line) => {
    const [hash = '', path = ''] = line.split('  ');
    return { hash, path };
  });
const library = join(root, '.services', 'kafka-4.1.1');

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

  installed: () => hasJava() && jars.every(({ path }) => existsSync(join(library, basename(path)))),
  async install() {
    if (!hasJava()) installPackages('kafka', ['default-jre-headless']);
    if (!hasJava()) throw new Error('kafka needs Java 17 or later, and "java -version" tells of an older one');
    mkdirSync(library, { recursive: true });
    // Retries once: among forty files, one download may fail.
    await Promise.all(jars.map((jar) => fetchJar(jar).catch(() => fetchJar(jar))));
  },

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

function hasJava(): boolean {
  const { stderr } = spawnSync('java', ['-version'], { encoding: 'utf8' });
  return Number(stderr?.match(/version "(\d+)/)?.[1] ?? 0) >= 17;
}

function java(main: string, ...words: string[]): string[] {
  const settings = ['-Xmx512m', '-Xms128m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1'];
  return [...settings, '-cp', join(library, '*'), main, ...words];
}

async function fetchJar({ hash, path }: (typeof jars)[number]): Promise<void> {
  const file = join(library, basename(path));
  if (existsSync(file)) return;
  const answer = await fetch(`${repository}/${path}`).catch((cause: Error) => {
    const why = messageOf(cause.cause ?? cause);
    throw new Error(`${repository} cannot be reached to fetch Kafka: ${why}`, { cause });
  });
  if (!answer.ok) throw new Error(`${repository}/${path} answered ${answer.status}`);
  const bytes = Buffer.from(await answer.arrayBuffer());
  if (createHash('sha256').update(bytes).digest('hex') !== hash) {
    throw new Error(`${repository}/${path} is not the file that scripts/services/kafka-jars.txt names`);
  }
  writeFileSync(`${file}.${process.pid}`, bytes);
  renameSync(`${file}.${process.pid}`, file);
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
