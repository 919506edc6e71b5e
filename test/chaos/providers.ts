import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type PaymentChange, ProviderBooks } from '../harness/provider-books.ts';

/** Behavior of the providers: correct; no answer; late answer; 503; request carried out, but no answer. */
export type ProviderMood = 'well' | 'hang' | 'slow' | 'fail' | 'lose answers';

const slowMs = 2_500;

/** The payment provider and the text-message provider outside the system. No fault touches their books. */
export class Providers {
  readonly payments = new ProviderBooks();
  /** Sent text messages, by Idempotency-Key. */
  readonly texts = new Map<string, { recipient: string; about: string }>();
  mood: ProviderMood = 'well';
  readonly #server: Server = createServer((request, response) => void this.#serve(request, response).catch(() => {}));

  /** Listens on a free port. Resolves with the settings that connect the system to it. */
  async open(): Promise<Record<string, string>> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    const url = `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
    return { PAYMENTS_PROVIDER_URL: url, SMS_PROVIDER_URL: url };
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const { mood } = this;
    if (mood === 'hang') return;
    if (mood === 'slow') await new Promise((resolve) => setTimeout(resolve, slowMs));
    if (mood === 'fail') return void response.writeHead(503).end('{}');
    const key = String(request.headers['idempotency-key']);
    const status = this.#handle(request.url!, key, JSON.parse(Buffer.concat(chunks).toString()));
    if (mood === 'lose answers') response.destroy();
    else response.writeHead(status).end('{}');
  }

  #handle(path: string, key: string, body: Record<string, string>): number {
    const [, resource, id, action] = path.split('/');
    if (resource === 'messages') {
      this.texts.set(key, { recipient: body.to!, about: body.text! });
      return 201;
    }
    if (action) return this.payments.change(id!, action as PaymentChange);
    return this.payments.authorize(body.id!, body.token!);
  }
}
