import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { json } from 'node:stream/consumers';
import { serve } from '@hono/node-server';
import express, { type ErrorRequestHandler } from 'express';
import { http } from 'kerf/adapters/http';
import { sqlite } from 'kerf/adapters/sqlite';
import type { Client } from 'kerf/contract';
import { type EmbeddedProduct, embed } from 'kerf/control/host';
import { answer, Resources } from 'kerf/http-api';
import type { ModuleDefinition } from 'kerf/module';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { z } from 'zod';
import { installIn } from '../../scripts/setup.mjs';
import { newId } from '../../src/shared/kernel/context/index.ts';
import { deep } from '../harness/deep.ts';
import { Shop } from '../harness/shop.ts';
import { notes } from '../modules/least/contract.ts';
import definition from '../modules/least/module.ts';
import { expressWith } from './express.ts';
import { fastifyWith } from './fastify.ts';
import { honoWith } from './hono.ts';

const note = z.strictObject({ id: z.string(), text: z.string() });
const module: ModuleDefinition = {
  ...definition,
  routes: ((self: Client<typeof notes>) =>
    new Resources('notes', notes).post(
      '/notes',
      'Write a note',
      { body: note, answers: { 200: note } },
      async (asked) => answer(200, await self.write(asked.body)),
    )) as never,
};

/** The application as it was before Kerf, in Node alone. */
const old: RequestListener = async (request, response) => {
  if (request.url === '/old') response.end(JSON.stringify({ old: await json(request) }));
  else response.writeHead(404).end();
};

const folder = mkdtempSync(join(tmpdir(), 'kerf-adopting-'));
let kerf: EmbeddedProduct;

beforeAll(async () => {
  const topology = join(folder, 'topology.yaml');
  writeFileSync(topology, '');
  const env = { DATA_DIR: join(folder, 'data'), TOPOLOGY: topology, INTERNAL_PORT: '0', LOG_LEVEL: 'silent' };
  kerf = await embed({ modules: [module], compositions: [], adapters: [sqlite(), http()], control: [] }, env);
});
afterAll(async () => {
  await kerf.close();
  rmSync(folder, { recursive: true });
});

const listening = async (server: Server) => {
  onTestFinished(() => void server.close().closeAllConnections());
  if (!server.listening) await once(server.listen(0, '127.0.0.1'), 'listening');
  return new Shop(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
};

const frameworks: Record<string, () => Promise<Shop>> = {
  'Node itself': () =>
    listening(createServer((request, response) => kerf.handle(request, response, () => void old(request, response)))),
  Hono: () => listening(serve({ fetch: honoWith(kerf).fetch, port: 0, hostname: '127.0.0.1' }) as Server),
  Express: () => listening(createServer(expressWith(kerf))),
  Fastify: async () => {
    const app = fastifyWith(kerf);
    await app.ready();
    return listening(app.server);
  },
};

describe.each(Object.entries(frameworks))('an application with %s', (_, open) => {
  it('serves the resources of Kerf', async () => {
    const shop = await open();
    const written = { id: newId(), text: 'from outside' };
    const { status, body, headers } = await shop.post('/notes', written, { 'x-request-id': 'a-request-id' });
    expect([status, body]).toEqual([200, written]);
    expect(headers.get('x-request-id')).toBe('a-request-id');
    expect(headers.get('cache-control')).toBe('no-store');
    expect(await shop.post('/notes', { id: 1 })).toMatchObject({ status: 422, body: { code: 'invalid-input' } });
    expect(await shop.get('/notes')).toMatchObject({ status: 405 });
  });

  it('serves its own resources as before', async () => {
    const shop = await open();
    expect(await shop.post('/old', { body: 'as before' })).toMatchObject({
      status: 200,
      body: { old: { body: 'as before' } },
    });
    expect((await fetch(`${shop.url}/neither`)).status).toBe(404);
  });
});

// Installs NestJS with the peers of the benchmarks.
it('an application with NestJS serves the resources of Kerf, and its own as before', deep, async () => {
  const peers = join(process.cwd(), 'bench', 'peers');
  installIn(peers);
  const { nestWith } = await import(/* @vite-ignore */ join(peers, 'nest-with-kerf.mjs'));
  const app = await nestWith(kerf);
  await app.listen(0, '127.0.0.1');
  onTestFinished(() => app.close());
  const shop = new Shop(await app.getUrl());
  const written = { id: newId(), text: 'from Nest' };
  expect(await shop.post('/notes', written)).toMatchObject({ status: 200, body: written });
  expect(await shop.post('/old', { body: 'as before' })).toMatchObject({ body: { old: { body: 'as before' } } });
});

describe('an embedded product', () => {
  it('answers a standard request', async () => {
    const written = { id: newId(), text: 'by fetch' };
    const body = JSON.stringify(written);
    const headers = { 'content-type': 'application/json', 'x-request-id': 'a-request-id' };
    const response = await kerf.fetch(new Request('http://localhost/notes', { method: 'POST', headers, body }));
    expect([response.status, await response.json()]).toEqual([200, written]);
    expect(response.headers.get('x-request-id')).toBe('a-request-id');
    expect(response.headers.get('x-frame-options')).toBe('DENY');
    expect((await kerf.fetch(new Request('http://localhost/nothing'))).status).toBe(404);
  });

  it('refuses to start with FALLBACK_URL, because the application answers all other paths', async () => {
    const product = { modules: [module], compositions: [], adapters: [sqlite(), http()], control: [] };
    await expect(embed(product, { FALLBACK_URL: 'http://127.0.0.1:1' })).rejects.toThrow('FALLBACK_URL is for');
  });

  it('says that it needs the body when other code has read it', async () => {
    const app = express().use(express.json(), kerf.handle);
    const failed = new Promise<Error>((resolve) =>
      app.use(((error, _request, response, _next) => {
        resolve(error);
        response.status(500).end();
      }) as ErrorRequestHandler),
    );
    const shop = await listening(createServer(app));
    expect((await shop.post('/notes', { id: newId(), text: 'read' })).status).toBe(500);
    expect((await failed).message).toMatch('mount kerf.handle before body parsers');
  });
});
