import { randomUUID } from 'node:crypto';
import { Server, ServerCredentials, type ServerUnaryCall, type sendUnaryData, status } from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { outcomeOf } from '../../kernel/calls/cancellation.cases.ts';
import { createCall, ofKernel } from '../../kernel/calls/index.ts';
import { callee, sample } from '../../kernel/calls/sample.cases.ts';
import { GrpcTransport } from './client.ts';
import { clientOver, errorOf, keys, openScene, SlowTokens, tokens } from './grpc.cases.ts';
import { protoOf } from './proto/proto.ts';

describe('a callee that is a foreign program', () => {
  const server = new Server();
  const { path, ...codec } = protoOf(sample).operations.get('echo')!;
  const asItIs = (bytes: Buffer) => bytes;
  let link: GrpcTransport;
  const echo = createCall(sample.operations.echo as never, 'gateway', () => link);
  let deadline: number;
  let answer: { code?: status; details?: string; bytes?: Buffer };

  beforeAll(async () => {
    const handle = (call: Pick<ServerUnaryCall<Buffer, Buffer>, 'getDeadline'>, done: sendUnaryData<Buffer>) => {
      deadline = Number(call.getDeadline());
      done(answer.code ? answer : null, answer.bytes);
    };
    server.register(path, handle, asItIs, asItIs, 'unary');
    const port = await new Promise<number>((resolve) => {
      server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (_error, bound) => resolve(bound));
    });
    const address = `grpc://127.0.0.1:${port}`;
    link = new GrpcTransport({ module: 'sample', contract: sample, address, tokens });
  });

  afterAll(async () => {
    await link.close();
    server.forceShutdown();
  });

  it('answers', async () => {
    answer = { bytes: codec.output.encode({ text: 'x' }) };
    expect(await echo({ text: 'x' })).toEqual({ text: 'x' });
  });

  it('gets the deadline in the form of gRPC', async () => {
    answer = { bytes: codec.output.encode({ text: 'x' }) };
    const before = Date.now();
    await echo({ text: 'x' }, { timeoutMs: 3_000 });
    expect(deadline - before).toBeGreaterThan(2_000);
    expect(deadline - Date.now()).toBeLessThanOrEqual(3_000);
  });

  it('can refuse with a status only', async () => {
    const meanings: [status, string][] = [
      [status.UNAUTHENTICATED, 'unavailable'],
      [status.PERMISSION_DENIED, 'unavailable'],
      [status.NOT_FOUND, 'not-found'],
      [status.INVALID_ARGUMENT, 'invalid-input'],
      [status.RESOURCE_EXHAUSTED, 'too-many-requests'],
      [status.UNAVAILABLE, 'unavailable'],
      [status.DEADLINE_EXCEEDED, 'timeout'],
      [status.CANCELLED, 'unavailable'],
      [status.FAILED_PRECONDITION, 'internal'],
      [status.UNKNOWN, 'internal'],
    ];
    for (const [code, refused] of meanings) {
      answer = { code, details: 'no' };
      expect([status[code], (await errorOf(echo({ text: 'x' }))).code]).toEqual([status[code], refused]);
    }
  });

  it('causes an internal error with an answer outside the contract', async () => {
    answer = { bytes: Buffer.from('no message') };
    expect((await errorOf(echo({ text: 'x' }))).code).toBe('internal');
  });

  it('counts as alive after a ping that it does not implement', async () => {
    const context = { requestId: 'r', caller: 'kernel', deadline: Date.now() + 5_000 };
    expect(await link.call({ operation: ofKernel('ping', 'sample'), input: {}, context })).toEqual({});
  });
});

describe('a callee that verifies tokens slowly', () => {
  it('is notified of a cancellation during the verification', async () => {
    const slow = new SlowTokens(keys);
    const { link, close } = await openScene({ tokens: slow });
    const client = clientOver(link());
    const controller = new AbortController();
    const outcome = outcomeOf(client.hold({ id: randomUUID() }, { signal: controller.signal }));
    await slow.asked;
    controller.abort();
    expect(await outcome).toBe('cancelled');
    const echo = () => client.echo({ text: 'x' });
    // Each call is a round trip: the first ones follow the cancellation, the others follow the verification.
    for (let call = 0; call < 3; call++) await echo();
    slow.letGo();
    for (let call = 0; call < 3; call++) await echo();
    await callee.hanging.none();
    await close();
  });
});
