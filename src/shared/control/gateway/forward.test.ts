import type { Context } from 'hono';
import { expect, it } from 'vitest';
import { z } from 'zod';
import { runInContext } from '../../kernel/context/index.ts';
import type { CallOptions, Operation } from '../../kernel/contract/index.ts';
import { answer, Resources } from '../../kernel/http-api/index.ts';
import { forwardTo } from './forward.ts';
import type { System } from './system.ts';

const put = { method: 'post', summary: 'Puts', answers: { 201: z.string() } } as const;
const shelf = new Resources('shelf')
  .add({ method: 'get', path: '/boxes', summary: 'Lists', answers: { 200: z.string() } }, async () => answer(200, ''))
  .add({ ...put, path: '/boxes' }, async () => answer(201, ''))
  .add({ ...put, path: '/orders', headers: z.object({ 'idempotency-key': z.string().optional() }) }, async () =>
    answer(201, ''),
  );

interface Passed {
  readonly name: string;
  readonly input: unknown;
  readonly options: CallOptions | undefined;
}

/** Sends a request to the endpoint at index `place` of `shelf`, which runs in another process. Resolves with the forwarded request. */
async function passed(request: Request, place: number): Promise<Passed> {
  const calls: Passed[] = [];
  const host = {
    directory: { routeTo: () => ({ state: 'there' }) },
    calls:
      ({ name }: Operation) =>
      async (input: unknown, options?: CallOptions) => {
        calls.push({ name, input, options });
        return { status: 200, headers: {}, body: '""' };
      },
  };
  const serve = forwardTo('shelf', host as unknown as System);
  const context = { requestId: 'r', caller: 'gateway', deadline: Date.now() + 5_000 };
  await runInContext(context, async () => serve({ req: { raw: request } } as Context, shelf.endpoints[place]!));
  return calls[0]!;
}

const key = { 'idempotency-key': 'again' };

it('forwards an idempotency key only when the endpoint declares that it takes effect once', async () => {
  const plain = await passed(new Request('http://kerf/boxes', { method: 'POST', body: '{}', headers: key }), 1);
  expect([plain.name, plain.options?.idempotencyKey]).toEqual(['kerf.write', undefined]);
  const keyed = await passed(new Request('http://kerf/orders', { method: 'POST', body: '{}', headers: key }), 2);
  expect([keyed.name, keyed.options?.idempotencyKey]).toEqual(['kerf.write', 'again']);
});

it('forwards HEAD as GET', async () => {
  const { name, input } = await passed(new Request('http://kerf/boxes?limit=2', { method: 'HEAD' }), 0);
  expect([name, input]).toEqual(['kerf.read', expect.objectContaining({ method: 'GET', path: '/boxes?limit=2' })]);
});

it('forwards no header with the address of the client', async () => {
  const headers = {
    ...{
      forwarded: 'for=203.0.113.9',
      'x-forwarded-for': '203.0.113.9',
      'x-forwarded-host': 'a',
      'x-real-ip': '203.0.113.9',
    },
    prefer: 'wait=1',
  };
  const { input } = await passed(new Request('http://kerf/boxes', { headers }), 0);
  expect(input).toMatchObject({ headers: { prefer: 'wait=1' } });
  expect(JSON.stringify(input)).not.toMatch(/forwarded|real-ip|203\.0\.113/);
});
