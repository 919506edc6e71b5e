import { Agent, createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';

const everyMs = 20;

/** A load balancer: sends each request, without retries, to the next system whose last readiness check passed. */
export class RoundRobinProxy {
  readonly #agent = new Agent({ keepAlive: true });
  readonly #ready = new Map<string, boolean>();
  readonly #server = createServer((incoming, outgoing) => {
    const url = this.#next();
    if (!url) return void outgoing.writeHead(503).end();
    const { method, headers, url: path } = incoming;
    const passed = request(`${url}${path}`, { method, headers, agent: this.#agent }, (answer) => {
      const { connection: _, ...kept } = answer.headers;
      outgoing.writeHead(answer.statusCode!, kept);
      answer.pipe(outgoing);
    });
    passed.once('error', (error: NodeJS.ErrnoException) => outgoing.writeHead(502, { why: error.code }).end());
    incoming.pipe(passed);
  });
  #turn = 0;
  #timer: NodeJS.Timeout | undefined;

  async open(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    const look = async () => {
      await Promise.all([...this.#ready.keys()].map((url) => this.#look(url)));
      this.#timer = setTimeout(look, everyMs);
    };
    void look();
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  add(url: string): void {
    this.#ready.set(url, false);
  }

  isReady(url: string): boolean {
    return this.#ready.get(url) ?? false;
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#agent.destroy();
    this.#server.close();
    this.#server.closeAllConnections();
  }

  #next(): string | undefined {
    const ready = [...this.#ready].flatMap(([url, is]) => (is ? [url] : []));
    this.#turn += 1;
    return ready[this.#turn % ready.length];
  }

  async #look(url: string): Promise<void> {
    const ready = await fetch(`${url}/readyz`).then(
      ({ ok }) => ok,
      () => false,
    );
    if (this.#ready.has(url)) this.#ready.set(url, ready);
  }
}
