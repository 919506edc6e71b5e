import { createServer, type Server } from 'node:http';

export interface Asked {
  readonly path: string;
  readonly key: string;
  readonly body: Record<string, unknown>;
}

/** The result of one request: a status, or no answer. `lost`: carried out without an answer; `refused`: not carried out. */
export type Fate = number | 'lost' | 'refused';

/** A provider over HTTP that records its requests and carries out each Idempotency-Key once. */
export class FakeProvider {
  readonly asked: Asked[] = [];
  /** Requests that were carried out, by Idempotency-Key. */
  readonly done = new Map<string, Asked>();
  /** Decides the result of each request. `times` is the number of requests with this key so far, from 1. */
  fate: (asked: Asked, times: number) => Fate = () => 201;
  #server: Server | undefined;

  async open(): Promise<string> {
    this.#server = createServer(async (request, response) => {
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(chunk as Buffer);
      const asked: Asked = {
        path: request.url!,
        key: String(request.headers['idempotency-key']),
        body: JSON.parse(Buffer.concat(chunks).toString()),
      };
      this.asked.push(asked);
      const fate = this.fate(asked, this.asked.filter(({ key }) => key === asked.key).length);
      if (fate === 'lost' || (typeof fate === 'number' && fate < 300)) this.done.set(asked.key, asked);
      if (typeof fate === 'number') response.writeHead(fate).end('{}');
      else response.destroy();
    });
    await new Promise<void>((resolve) => this.#server!.listen(0, '127.0.0.1', resolve));
    return `http://127.0.0.1:${(this.#server.address() as { port: number }).port}`;
  }

  async close(): Promise<void> {
    this.#server!.closeAllConnections();
    await new Promise((resolve) => this.#server!.close(resolve));
  }

  /** Returns the paths of the requests that were carried out, one for each key. */
  get effects(): string[] {
    return [...this.done.values()].map(({ path }) => path);
  }
}
