// Test servers: shared servers of `npx kerf services`, and private servers of one test.
import { alertmanager } from './alertmanager.ts';
import { Instance } from './instance.ts';
import { jaeger } from './jaeger.ts';
import { kafka } from './kafka.ts';
import type { Kind, Place, Program, ServerName } from './kind.ts';
import { nats } from './nats.ts';
import { opensearch } from './opensearch.ts';
import { otelCollector } from './otel-collector.ts';
import { postgres } from './postgres.ts';
import { killWhenGone } from './processes.ts';
import { prometheus } from './prometheus.ts';
import { rabbitmq } from './rabbitmq.ts';
import { rsyslog } from './rsyslog.ts';
import { victoriaLogs } from './victoria-logs.ts';
import { zipkin } from './zipkin.ts';

export { addressOf } from './kind.ts';
export type { ServerName };

/** A private test server. It is killed when the process that started it ends. */
export interface PrivateServer {
  readonly name: ServerName;
  readonly url: string;
  /** The process id of the server; undefined while it does not run. */
  readonly pid: number | undefined;
  /** Resolves with true when it answers in its own protocol. */
  answers(): Promise<boolean>;
  /** Sends SIGKILL to the server. Resolves when it has ended. Its data stays. */
  kill(): Promise<void>;
  /** Ends the server if it runs, and starts it with its data at the same port. Resolves when it answers. */
  restart(): Promise<void>;
  /** Ends the server and removes its folder. */
  stop(): Promise<void>;
}

export const kinds: Readonly<Record<ServerName, Kind>> = {
  ...{ rabbitmq, kafka, nats, postgres },
  ...{ zipkin, prometheus, alertmanager, opensearch },
  ...{ jaeger, 'otel-collector': otelCollector, 'victoria-logs': victoriaLogs },
};
export const names: readonly ServerName[] = Object.values(kinds).map(({ name }) => name);

/** Programs that tests run by themselves. */
export const programs: Readonly<Record<string, Program>> = { rsyslog };

/** Returns whether the programs of a server are installed; `npx kerf services up` installs them. */
export function installed(name: ServerName): boolean {
  return kinds[name].installed();
}

/**
 * Starts a private server at a free port, in its own folder. Resolves when it answers.
 * Throws when its programs are not installed, the port is in use, or it does not start (with the end of its log).
 */
export async function startServer(name: ServerName, { port, folder }: Place): Promise<PrivateServer> {
  const kind = kinds[name];
  if (!kind.installed()) throw new Error(`${name} is not installed; run: npx kerf services up ${name}`);
  const instance = new Instance(kind, { port, folder });
  await instance.start();
  let callOff = killWhenGone(instance.processes);
  return {
    name,
    url: kind.url(port),
    get pid() {
      return instance.pid;
    },
    answers: () => instance.answers(),
    kill: () => instance.kill(),
    async restart() {
      await instance.halt();
      callOff();
      await instance.start();
      kind.recover?.(instance);
      callOff = killWhenGone(instance.processes);
    },
    async stop() {
      await instance.stop();
      callOff();
    },
  };
}
