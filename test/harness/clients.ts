import { Agent, request } from 'node:http';

/** The results of the clients' requests. */
export interface Outcome {
  answers: number;
  /** Number of answers with `Connection: close`. */
  last: number;
  /** Requests without an answer, or with a status of 500 or more, in words. */
  readonly failures: string[];
}

export interface ClientsOptions {
  readonly url: string;
  readonly paths: readonly string[];
  readonly token: string | undefined;
  readonly count: number;
  /** Whether each client keeps its connection for the next request. Otherwise it opens one for each request. */
  readonly keepAlive: boolean;
}

/** Clients that send requests without a pause until the listener is gone. Each client sends one request at a time. */
export class Clients {
  readonly outcome: Outcome = { answers: 0, last: 0, failures: [] };
  /** Resolves when every client has stopped, or has found that nobody listens. */
  readonly ended: Promise<unknown>;
  #stopped = false;
  private readonly options: ClientsOptions;

  constructor(options: ClientsOptions) {
    this.options = options;
    this.ended = Promise.all(Array.from({ length: options.count }, (_, index) => this.#run(index)));
  }

  /** Stops each client after its current answer. */
  async stop(): Promise<Outcome> {
    this.#stopped = true;
    await this.ended;
    return this.outcome;
  }

  async #run(first: number): Promise<void> {
    const { paths, keepAlive } = this.options;
    const agent = keepAlive && new Agent({ keepAlive, maxSockets: 1 });
    for (let turn = first; !this.#stopped; turn++) {
      const refused = await this.#ask(paths[turn % paths.length]!, agent);
      if (refused) break;
    }
    if (agent) agent.destroy();
  }

  /** Sends one request. Resolves with true when nobody listens. */
  #ask(path: string, agent: Agent | false): Promise<boolean> {
    const { url, token } = this.options;
    const { outcome } = this;
    return new Promise((resolve) => {
      const failed = (why: string) => {
        if (why !== 'ECONNREFUSED') outcome.failures.push(`${path}: ${why}`);
        resolve(why === 'ECONNREFUSED');
      };
      const asking = request(`${url}${path}`, { agent, headers: { authorization: `Bearer ${token}` } }, (answer) => {
        answer.resume().once('end', () => {
          outcome.answers += 1;
          if (answer.headers.connection === 'close') outcome.last += 1;
          if (answer.statusCode! >= 500) failed(`status ${answer.statusCode}`);
          else resolve(false);
        });
        answer.once('error', (error: NodeJS.ErrnoException) => failed(error.code ?? error.message));
      });
      asking.once('error', (error: NodeJS.ErrnoException) => failed(error.code ?? error.message));
      asking.end();
    });
  }
}
