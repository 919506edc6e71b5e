import { chownSync, copyFileSync, existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { freePort } from './free-port.ts';
import { readyOverHttp } from './http.ts';
import { Jars, javaOptions } from './jars.ts';
import type { Kind, Place } from './kind.ts';
import { pathOf } from './processes.ts';
import { createData, dataIn, removeData, type User, unprivileged } from './unprivileged.ts';

const version = '2.19.6';
/** The jars of `opensearch`, and of the plugin with its HTTP listener. */
const jars = new Jars('opensearch', version, 'opensearch-jars.txt');

const settings = ({ port, transportPort, home }: { port: number; transportPort: number; home: string }) => `
cluster.name: kerf
node.name: kerf-${port}
network.host: 127.0.0.1
http.port: ${port}
transport.port: ${transportPort}
discovery.type: single-node
path.data: ${home}/data
path.logs: ${home}/logs
cluster.routing.allocation.disk.threshold_enabled: false
bootstrap.system_call_filter: false
`;

const logging = `
status = error
appender.console.type = Console
appender.console.name = console
appender.console.layout.type = PatternLayout
appender.console.layout.pattern = [%d{ISO8601}][%-5p][%-25c{1.}] %marker%m%n
rootLogger.level = warn
rootLogger.appenderRef.console.ref = console
`;

const plugin = `
description=Netty 4 based transport implementation
version=${version}
name=transport-netty4
classname=org.opensearch.transport.Netty4Plugin
java.version=11
opensearch.version=${version}
extended.plugins=
has.native.controller=false
`;

const policy = `
grant codeBase "\${codebase.netty-common}" {
   permission java.io.FilePermission "/proc/sys/net/core/somaxconn", "read";
   permission java.net.SocketPermission "*", "accept,connect";
};
grant codeBase "\${codebase.netty-transport}" {
   permission java.util.PropertyPermission "sun.nio.ch.bugLevel", "write";
};
`;

/** The options of its own start script. */
const options = [
  '-Djava.security.manager=allow',
  '-Djava.awt.headless=true',
  '-Dfile.encoding=UTF-8',
  '-Djna.nosys=true',
  '-XX:-OmitStackTraceInFastThrow',
  '-Dio.netty.noUnsafe=true',
  '-Dio.netty.noKeySetOptimization=true',
  '-Dio.netty.recycler.maxCapacityPerThread=0',
  '-Dio.netty.allocator.numDirectArenas=0',
  '-Dlog4j.shutdownHookEnabled=false',
  '-Dlog4j2.disable.jmx=true',
  '-Djava.locale.providers=SPI,COMPAT',
  '--add-opens=java.base/java.nio=ALL-UNNAMED',
  '-Dopensearch.distribution.type=tar',
  '-Dopensearch.bundled_jdk=false',
];

/** Logs: takes the bulk API of Elasticsearch. */
export const opensearch: Kind = {
  name: 'opensearch',
  port: 19200,
  variable: 'SERVER_OPENSEARCH_URL',
  url: (port) => `http://127.0.0.1:${port}`,

  installed: () => jars.installed(),
  install: () => jars.install(),

  /** Its home is its data folder, because it may read no other files. */
  async prepare({ port, folder }) {
    if (existsSync(join(folder, 'data'))) return;
    const user = unprivileged('nobody');
    createData(folder, user);
    await createHome({ port, folder: dataIn(folder) });
    if (user) give(dataIn(folder), user);
  },
  commands({ folder }) {
    const home = dataIn(folder);
    const own = [`path.home=${home}`, `path.conf=${home}/config`].map((setting) => `-Dopensearch.${setting}`);
    const memory = ['-Xms256m', '-Xmx256m', ...javaOptions, `-Djava.io.tmpdir=${home}/tmp`];
    const words = [...memory, ...options, ...own, '-cp', `${home}/lib/*`, 'org.opensearch.bootstrap.OpenSearch'];
    return [{ program: pathOf('java'), words, env: process.env, cwd: '/', ...unprivileged('nobody') }];
  },
  remove: ({ folder }) => removeData(folder),

  ...readyOverHttp('/_cluster/health'),
  stopSignal: 'SIGTERM',
};

async function createHome({ port, folder: home }: Place): Promise<void> {
  const module = join(home, 'modules', 'transport-netty4');
  for (const name of ['lib', 'config', 'logs', 'plugins', 'data', 'tmp']) mkdirSync(join(home, name));
  mkdirSync(module, { recursive: true });
  for (const file of jars.files) {
    const ofModule = /^(netty|transport-netty4-client)-/.test(basename(file));
    copyFileSync(file, join(ofModule ? module : join(home, 'lib'), basename(file)));
  }
  writeFileSync(join(module, 'plugin-descriptor.properties'), plugin.trim());
  writeFileSync(join(module, 'plugin-security.policy'), policy);
  writeFileSync(join(home, 'config', 'opensearch.yml'), settings({ port, transportPort: await freePort(), home }));
  writeFileSync(join(home, 'config', 'log4j2.properties'), logging);
}

function give(folder: string, { uid, gid }: User): void {
  for (const name of readdirSync(folder, { recursive: true, encoding: 'utf8' }))
    chownSync(join(folder, name), uid, gid);
}
