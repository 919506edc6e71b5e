import { Agent, request } from 'node:http';

/** What became of the requests of some clients. */
export interface Outcome {
  answers: number;
  /** Answers after which the connection was to be closed. */
  last: number;
  /** Of requests that were sent and not answered, or answered with 500 and more. */
  readonly failures: string[];
}

export interface ClientsOptions {
  readonly url: string;
  readonly paths: readonly string[];
  readonly token: string | undefined;
  readonly count: number;
  /** Whether each client keeps its connection for the next request, or has one for each. */
  readonly keepAlive: boolean;
}

/** Clients that ask without a pause, each one request after the other, until nobody listens any more. */
export class Clients {
  readonly outcome: Outcome = { answers: 0, last: 0, failures: [] };
  /** Resolves when all have found that nobody listens. */
  readonly ended: Promise<unknown>;
  #stopped = false;
  private readonly options: ClientsOptions;

  constructor(options: ClientsOptions) {
    this.options = options;
    this.ended = Promise.all(Array.from({ length: options.count }, (_, index) => this.#run(index)));
  }

  /** Each asks nothing more after its answer. */
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

  /** Resolves with whether nobody listened. */
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
