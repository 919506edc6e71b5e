/** Where one server listens and keeps all that it writes. */
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

export type ServerName = 'rabbitmq' | 'kafka' | 'nats' | 'postgres';

/** What one kind of server is: each has a file here. All of them listen on the loopback interface only. */
export interface Kind {
  readonly name: ServerName;
  /** Where `npm run services` puts it. */
  readonly port: number;
  /** The environment variable by which tests are told of another one. */
  readonly variable: string;
  url(port: number): string;

  installed(): boolean;
  /** Throws with the command to type when this user may not install it. */
  install(): void | Promise<void>;

  /** Writes its settings, and its empty storage when there is none yet. */
  prepare(place: Place): void | Promise<void>;
  /** The programs to run, in this order; the last one is the server, the others accompany it. */
  commands(place: Place): Command[] | Promise<Command[]>;
  /** What a person would have to do when it is up again after a kill. */
  recover?(place: Place): void;
  /** Removes what it keeps outside of its folder. */
  remove?(place: Place): void;

  /** What to say to it, and whether what it has said back means that it is ready. */
  readonly hello: Uint8Array | undefined;
  answer(heard: Buffer): boolean;
  readonly stopSignal: NodeJS.Signals;
}
