import { createHash } from 'node:crypto';
import { currentContext } from 'kerf/context';
import { answer, type Resources, serverSentEvents } from 'kerf/http-api';
import { z } from 'zod';

const mebibyte = 1024 * 1024;
const upload = { maxBytes: 24 * mebibyte, seconds: 60 };
const download = { maxBytes: 64 * mebibyte, seconds: 60, contentType: 'application/octet-stream' };
const state = z.object({ open: z.int(), produced: z.int(), aborted: z.int() });

/** Adds endpoints whose bodies and answers are streams. `/streams/state` tells what is going on in the process of the module. */
export function addStreams(resources: Resources): Resources {
  const now = { open: 0, produced: 0, aborted: 0 };

  /** Makes bytes until nobody reads them, and then fails if it is to. */
  async function* bytes(count: number, signal: AbortSignal, fails = false) {
    now.open += 1;
    const abort = () => {
      now.aborted += 1;
    };
    signal.addEventListener('abort', abort);
    try {
      for (let made = 0; made < count; made += 65_536) {
        const part = Buffer.alloc(Math.min(65_536, count - made), 'a');
        now.produced += part.length;
        yield part;
      }
      if (fails) throw new Error('the shelf broke');
    } finally {
      now.open -= 1;
      signal.removeEventListener('abort', abort);
    }
  }

  const count = z.object({ bytes: z.coerce.number().int(), fails: z.stringbool().optional() });
  const sent = { upload, answers: { 200: z.object({ bytes: z.int(), sha256: z.string() }) } };
  resources
    .get('/streams/state', 'What is going on', { answers: { 200: state } }, async () => answer(200, now))
    .post('/streams/hash', 'Hashes an upload', sent, async ({ body }) => {
      const hash = createHash('sha256');
      let bytes = 0;
      for await (const part of body) {
        hash.update(part);
        bytes += part.length;
      }
      return answer(200, { bytes, sha256: hash.digest('hex') });
    })
    .post('/streams/stuck', 'Reads nothing until nobody waits', sent, async ({ signal }) => {
      now.open += 1;
      await new Promise((resolve) => signal.addEventListener('abort', resolve));
      now.open -= 1;
      return answer(200, { bytes: 0, sha256: '' });
    })
    .post('/streams/closed', 'For members', { ...sent, member: true }, async () => answer(200, {}))
    .post('/streams/copy', 'Sends back what comes', { upload, download, answers: { 200: z.any() } }, async ({ body }) =>
      answer(200, body),
    )
    .get(
      '/streams/bytes',
      'Sends bytes',
      { query: count, download, answers: { 200: z.any() } },
      async ({ query, signal }) => answer(200, bytes(query.bytes, signal, query.fails)),
    )
    .get(
      '/streams/brief',
      'Sends bytes for a second',
      { download: { ...download, seconds: 1 }, answers: { 200: z.any() } },
      async ({ signal }) => {
        async function* forever() {
          yield 'a';
          await new Promise((resolve) => signal.addEventListener('abort', resolve));
        }
        return answer(200, forever());
      },
    );
  resources.get(
    '/streams/ticks',
    'Sends an event, and nothing more',
    { download: { ...download, contentType: 'text/event-stream' }, answers: { 200: z.string() } },
    async ({ signal }) => {
      async function* ticks() {
        yield { data: 'tick' };
        await new Promise((resolve) => signal.addEventListener('abort', resolve));
      }
      return answer(200, serverSentEvents(ticks()));
    },
  );
  return resources.get(
    '/streams/events',
    'Sends three events after the last one that the client has',
    {
      headers: z.object({ 'last-event-id': z.string().optional() }),
      download: { ...download, contentType: 'text/event-stream' },
      answers: { 200: z.string() },
    },
    async ({ headers }) => {
      async function* events() {
        const first = Number(headers['last-event-id'] ?? 0) + 1;
        for (let at = first; at < first + 3; at++)
          yield { id: String(at), event: 'box', data: `box ${at}\nof ${currentContext()?.requestId}` };
      }
      return answer(200, serverSentEvents(events()));
    },
  );
}
