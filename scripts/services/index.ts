// Test servers: shared servers of `npm run services`, and private servers of one test.
import { Instance } from './instance.ts';
import { kafka } from './kafka.ts';
import type { Kind, Place, ServerName } from './kind.ts';
import { nats } from './nats.ts';
import { postgres } from './postgres.ts';
import { killWhenGone } from './processes.ts';
import { rabbitmq } from './rabbitmq.ts';

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

export const kinds: Readonly<Record<ServerName, Kind>> = { rabbitmq, kafka, nats, postgres };
export const names: readonly ServerName[] = ['rabbitmq', 'kafka', 'nats', 'postgres'];

/** The default address of a server, and the environment variable for another address. */
export const known = { rabbitmq: at(rabbitmq), kafka: at(kafka), nats: at(nats), postgres: at(postgres) };

function at({ port, variable, url }: Kind) {
  return { port, variable, url: url(port) };
}

/** Returns whether the programs of a server are installed; `npm run services -- up` installs them. */
export function installed(name: ServerName): boolean {
  return kinds[name].installed();
}

/**
 * Starts a private server at a free port, in its own folder. Resolves when it answers.
 * Throws when its programs are not installed, the port is in use, or it does not start (with the end of its log).
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
