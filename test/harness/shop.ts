import { randomUUID } from 'node:crypto';

export interface Answer<T = Record<string, unknown>> {
  readonly status: number;
  readonly headers: Headers;
  readonly body: T;
}

/** A client of the public API. */
export class Shop {
  readonly url: string;
  readonly token?: string;
  private readonly signal?: AbortSignal;

  constructor(url: string, token?: string, signal?: AbortSignal) {
    this.url = url;
    this.token = token;
    this.signal = signal;
  }

  /** Returns a client of the same member that hangs up when `signal` aborts. */
  until(signal: AbortSignal): Shop {
    return new Shop(this.url, this.token, signal);
  }

  async send<T = Record<string, never>>(
    method: string,
    path: string,
    body?: unknown,
    headers: Record<string, string> = {},
  ): Promise<Answer<T>> {
    const answer = await fetch(`${this.url}${path}`, {
      method,
      headers: {
        ...(body !== undefined && { 'content-type': 'application/json' }),
        ...(this.token && { authorization: `Bearer ${this.token}` }),
        ...headers,
      },
      body: body === undefined ? undefined : typeof body === 'string' ? body : JSON.stringify(body),
      signal: this.signal,
    });
    const text = await answer.text();
    return { status: answer.status, headers: answer.headers, body: (text ? JSON.parse(text) : null) as T };
  }

  get<T = Record<string, never>>(path: string): Promise<Answer<T>> {
    return this.send<T>('GET', path);
  }

  post<T = Record<string, never>>(path: string, body?: unknown, headers?: Record<string, string>): Promise<Answer<T>> {
    return this.send<T>('POST', path, body, headers);
  }

  /** Signs a new member up and in. Resolves with a client of that member. */
  async join(details: { email?: string; name?: string; phone?: string; password?: string } = {}): Promise<Shop> {
    const email = details.email ?? `${randomUUID()}@example.com`;
    const password = details.password ?? 'correct horse';
    const signedUp = await this.post('/members', { name: 'Member', ...details, email, password });
    if (signedUp.status !== 201)
      throw new Error(`sign-up answered ${signedUp.status} ${JSON.stringify(signedUp.body)}`);
    return this.signIn(email, password);
  }

  async signIn(email: string, password = 'correct horse', attempts = 1): Promise<Shop> {
    const { status, body, headers } = await this.post<{ token: string }>('/sessions', { email, password });
    // A slow machine answers 503 or 504 to some clients of a crowd.
    if ((status === 503 || status === 504) && attempts > 1) {
      await new Promise((resolve) => setTimeout(resolve, Number(headers.get('retry-after')) * 1_000));
      return this.signIn(email, password, attempts - 1);
    }
    if (status !== 201) throw new Error(`sign-in answered ${status} ${JSON.stringify(body)}`);
    return new Shop(this.url, body.token);
  }

  order(sku: string, quantity = 1, options: OrderOptions = {}): Promise<Answer<Outcome>> {
    return this.checkOut([{ sku, quantity }], options);
  }

  /** Places an order. By default waits for the outcome as long as the API allows, so that a slow machine passes too. */
  checkOut(
    lines: { sku: string; quantity: number }[],
    { token = 'tok_ok', key, wait = 10 }: OrderOptions = {},
  ): Promise<Answer<Outcome>> {
    return this.post<Outcome>(
      '/orders',
      { lines, payment: { token } },
      { prefer: `wait=${wait}`, ...(key && { 'idempotency-key': key }) },
    );
  }
}

/** The order, or the problem that prevents it. */
export type Outcome = Order & Omit<Problem, 'status'>;

export interface OrderOptions {
  token?: string;
  key?: string;
  /** Seconds. */
  wait?: number;
}

export interface Page<T> {
  items: T[];
  next: string | null;
}

export interface Message {
  id: string;
  channel: 'mail' | 'sms';
  subject: string;
  status: 'queued' | 'sent' | 'failed';
}

export interface Payment {
  id: string;
  orderId: string;
  amount: { amount: number; currency: string };
  status: 'authorized' | 'captured' | 'voided' | 'refunded' | 'declined';
}

export interface Summary {
  order: Order | null;
  payment: Payment | null;
  messages: Message[] | null;
  recommendations: { sku: string; score: number }[] | null;
  missing: string[];
}

export interface Product {
  sku: string;
  name: string;
  description: string;
  price: { amount: number; currency: string };
  available: number | null;
}

export interface Order {
  id: string;
  status: 'pending' | 'confirmed' | 'rejected' | 'cancelled';
  reason?: string;
  lines: { sku: string; quantity: number }[];
  total: { amount: number; currency: string };
}

export interface Problem {
  code: string;
  status: number;
  orderId?: string;
  issues?: { path: string; message: string }[];
}
