import { expect, it } from 'vitest';
import { z } from 'zod';
import { currentContext, runInContext } from '../context/index.ts';
import { answer, type Endpoint } from './endpoint.ts';
import { Resources } from './resources.ts';
import { bytesOf, type ServerSentEvent, serverSentEvents } from './streams.ts';

async function sent(...events: ServerSentEvent[]): Promise<string> {
  async function* all() {
    yield* events;
  }
  return new Response(bytesOf(serverSentEvents(all()))).text();
}

it('formats server-sent events', async () => {
  expect(await sent({ data: 'a' }, { id: '7', event: 'b', retry: 500, data: 'c\nd\r\ne' })).toBe(
    'data: a\n\nevent: b\nid: 7\nretry: 500\ndata: c\ndata: d\ndata: e\n\n',
  );
});

it('refuses an event whose fields would become other fields', async () => {
  await expect(sent({ id: '7\ndata: forged', data: '' })).rejects.toThrow('no line breaks');
});

it('asks a generator only when its reader does, in the context of the request, and ends it', async () => {
  const steps: unknown[] = [];
  async function* parts() {
    try {
      for (const part of ['', 'a', 'b']) {
        steps.push([part, currentContext()?.requestId]);
        yield part;
      }
    } finally {
      steps.push('over');
    }
  }
  const stream = runInContext({ requestId: 'r', caller: 'test', deadline: 0 }, () => bytesOf(parts()));
  expect(steps).toEqual([]);
  const reader = stream.getReader();
  expect((await reader.read()).value).toEqual(new TextEncoder().encode('a'));
  await reader.cancel();
  expect(steps).toEqual([['', 'r'], ['a', 'r'], 'over']);
});

const size = { maxBytes: 1, seconds: 1 };

it.each<[string, Partial<Endpoint>]>([
  ['choose one of body, raw and upload', { raw: size, upload: size }],
  ['the maxBytes of raw must be from 1 to 5 MiB', { raw: { maxBytes: 6 * 1024 * 1024 } }],
  ['the maxBytes and seconds of a stream must be more than 0', { upload: { ...size, seconds: 0 } }],
  ['an upload may take at most 60 seconds', { upload: { ...size, seconds: 61 } }],
  ['a GET has no body, so it takes no upload', { method: 'get', upload: size }],
  ['the ETag of a stream cannot be computed', { etag: true, download: { ...size, contentType: 'text/csv' } }],
])('refuses an endpoint that cannot be served: %s', (why, parts) => {
  const endpoint: Endpoint = { method: 'post', path: '/a', summary: 'A', answers: { 200: z.string() }, ...parts };
  const add = () => new Resources('test').add(endpoint, async () => answer(200, ''));
  expect(add).toThrow(why);
});
