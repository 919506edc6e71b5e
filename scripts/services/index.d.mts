import type { Place } from './kind.d.mts';

export type ServerName = 'rabbitmq' | 'kafka' | 'nats' | 'postgres';

export interface Known {
  /** Where `npm run services` puts it, on 127.0.0.1. */
  readonly port: number;
  readonly url: string;
  /** The environment variable by which tests are told of another one. */
  readonly variable: string;
}

/** A server of one's own. It is killed when the process that started it ends. */
export interface PrivateServer {
  readonly name: ServerName;
  readonly url: string;
  /** The process id of the server itself; undefined while it does not run. */
  readonly pid: number | undefined;
  /** Whether it answers in its own protocol now. */
  answers(): Promise<boolean>;
  /** SIGKILL, to the server itself; resolves when it has ended. What it had stored stays. */
  kill(): Promise<void>;
  /** Ends it when it runs, and starts it with what it had stored, at the same port; resolves when it answers. */
  restart(): Promise<void>;
  /** Ends it and removes its folder with all that it wrote. */
  stop(): Promise<void>;
}

export const known: Readonly<Record<ServerName, Known>>;

/** Whether its programs are on this machine; `npm run services -- up` installs them. */
export function installed(name: ServerName): boolean;

/**
 * Starts a server that nobody else uses, at a free port, in a folder that is its own; resolves when it answers.
 * Throws when its programs are not installed, the port is taken, or it does not start: with the end of its log.
 */
export function startServer(name: ServerName, place: Place): Promise<PrivateServer>;
