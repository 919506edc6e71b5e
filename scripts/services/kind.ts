/** The port and the folder of one server. */
export interface Place {
  readonly port: number;
  readonly folder: string;
}

export interface Command {
  readonly program: string;
  readonly words: string[];
  readonly env: NodeJS.ProcessEnv;
  readonly uid?: number;
  readonly gid?: number;
  readonly cwd?: string;
}

export type ServerName =
  | ('rabbitmq' | 'kafka' | 'nats' | 'postgres')
  | ('zipkin' | 'prometheus' | 'alertmanager' | 'opensearch')
  | ('jaeger' | 'otel-collector' | 'victoria-logs');

/** A program that tests need. */
export interface Program {
  readonly name: string;
  installed(): boolean;
  /** Installs it. Throws an error with the necessary command when this user may not install it. */
  install(): void | Promise<void>;
  /** About how long the installation takes, when it is built from source. No test requires such a program. */
  readonly buildMinutes?: number;
}

/** One kind of server; each kind has a file in this folder. All listen only on the loopback interface. */
export interface Kind extends Program {
  readonly name: ServerName;
  /** The place of the shared server of `npx kerf services`. */
  readonly port: number;
  /** The server uses this many ports, from its own port on. Default: 1. */
  readonly portCount?: number;
  /** The environment variable with the address of another server for tests. */
  readonly variable: string;
  url(port: number): string;

  /** Writes its settings, and creates its storage if it is missing. */
  prepare(place: Place): void | Promise<void>;
  /** The programs to run, in this order. The last one is the server; the others are helpers. */
  commands(place: Place): Command[] | Promise<Command[]>;
  /** Repairs the server after a restart from a kill, like an operator. */
  recover?(place: Place): void;
  /** Removes its files outside its folder. */
  remove?(place: Place): void;

  /** The bytes of a request, and a check whether the answer means that the server is ready. */
  readonly hello: Uint8Array | undefined;
  answer(heard: Buffer): boolean;
  readonly stopSignal: NodeJS.Signals;
}

/** The address of the shared server: from the environment, or of `npx kerf services`. */
export function addressOf({ variable, url, port }: Kind): string {
  return process.env[variable] ?? url(port);
}
