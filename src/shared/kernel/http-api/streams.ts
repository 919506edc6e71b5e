import { keepContext } from '../context/index.ts';

/** Limits of a body that is read or written while it travels. */
export interface StreamLimits {
  readonly maxBytes: number;
  /** The longest time from the request to the end of the body, in seconds. */
  readonly seconds: number;
}

/** A body that a handler makes while it is sent. Texts are sent as UTF-8. */
export type StreamSource = AsyncIterable<string | Uint8Array> | ReadableStream<string | Uint8Array>;

/** Tells whether the body of an answer is a stream. */
export function isStream(body: unknown): body is StreamSource {
  return typeof body === 'object' && body !== null && Symbol.asyncIterator in body;
}

const utf8 = new TextEncoder();

/**
 * Returns the bytes of a source. Asks the source for the next part only when its reader has taken the previous one. The source
 * runs in the context of the request. When the reader cancels, the source ends: a generator runs its `finally`.
 */
export function bytesOf(source: StreamSource): ReadableStream<Uint8Array> {
  const parts = (source as AsyncIterable<string | Uint8Array>)[Symbol.asyncIterator]();
  const inRequest = keepContext();
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const { done, value } = await inRequest(() => parts.next());
        if (done) return controller.close();
        const bytes = typeof value === 'string' ? utf8.encode(value) : value;
        // A reader does not count an empty part, and would not ask again.
        return bytes.length > 0 ? controller.enqueue(bytes) : this.pull!(controller);
      },
      async cancel() {
        await inRequest(() => parts.return?.());
      },
    },
    { highWaterMark: 0 },
  );
}

/** An event of a stream of server-sent events. */
export interface ServerSentEvent {
  readonly data: string;
  readonly event?: string;
  /** A client that connects again sends the last one as `Last-Event-ID`. */
  readonly id?: string;
  /** How long the client waits before it connects again, in milliseconds. */
  readonly retry?: number;
}

export const eventStream = 'text/event-stream';

/**
 * Formats events for an endpoint whose `download` has the content type `text/event-stream`. Throws for an event whose `id` or
 * `event` has a line break.
 */
export async function* serverSentEvents(events: AsyncIterable<ServerSentEvent>): AsyncGenerator<string> {
  for await (const { data, event, id, retry } of events) {
    const fields = Object.entries({ event, id, retry }).filter(([, value]) => value !== undefined);
    if (fields.some(([, value]) => /[\r\n\0]/.test(String(value))))
      throw new TypeError('the id and the name of a server-sent event have no line breaks');
    const lines = [...fields, ...data.split(/\r\n|\r|\n/).map((line) => ['data', line])];
    yield `${lines.map(([name, value]) => `${name}: ${value}\n`).join('')}\n`;
  }
}
