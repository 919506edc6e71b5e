// Real servers for tests: shared servers of `npm run services`, and private servers of one test.
import { Instance } from './instance.ts';
import { kafka } from './kafka.ts';
import type { Kind, Place, ServerName } from './kind.ts';
import { nats } from './nats.ts';
import { postgres } from './postgres.ts';
import { killWhenGone } from './processes.ts';
import { rabbitmq } from './rabbitmq.ts';

export type { ServerName };

/** A server of one's own. It is killed when the process that started it ends. */
export interface PrivateServer {
  readonly name: ServerName;
  readonly url: string;
  /** The process id of the server itself; undefined while it does not run. */
  readonly pid: number | undefined;
  /** Whether it answers in its own protocol now. */
  answers(): Promise<boolean>;
  /** Sends SIGKILL to the server itself; resolves when it has ended. What it had stored stays. */
  kill(): Promise<void>;
  /** Ends it when it runs, and starts it with what it had stored, at the same port; resolves when it answers. */
  restart(): Promise<void>;
  /** Ends it and removes its folder with all that it wrote. */
  stop(): Promise<void>;
}

export const kinds: Readonly<Record<ServerName, Kind>> = { rabbitmq, kafka, nats, postgres };
export const names: readonly ServerName[] = ['rabbitmq', 'kafka', 'nats', 'postgres'];

/** Where `npm run services` puts a server, and the environment variable by which tests are told of another one. */
export const known = { rabbitmq: at(rabbitmq), kafka: at(kafka), nats: at(nats), postgres: at(postgres) };

function at({ port, variable, url }: Kind) {
  return { port, variable, url: url(port) };
}

/** Whether the programs of a server are on this machine; `npm run services -- up` installs them. */
export function installed(name: ServerName): boolean {
  return kinds[name].installed();
}

/**
 * Starts a server that nobody else uses, at a free port, in a folder that is its own; resolves when it answers.
 * Throws when its programs are not installed, the port is taken, or it does not start: with the end of its log.
 */
export async function startServer(name: ServerName, { port, folder }: Place): Promise<PrivateServer> {
  const kind = kinds[name];
  if (!kind.installed()) throw new Error(`${name} is not installed; run: npm run services -- up ${name}`);
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
