import { once } from 'node:events';
import { connect } from 'node:http2';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sample, serve as serveSample } from '../../kernel/calls/transport.cases.ts';
import type { CallListener } from '../../kernel/ports/index.ts';
import { silentLog } from '../../kernel/telemetry/index.ts';
import { clientOver, openScene, tokens } from './grpc.cases.ts';
import { protoOf } from './proto/proto.ts';
import { createGrpcServer } from './server.ts';

const { path, input } = protoOf(sample).operations.get('echo')!;

/** Returns a message in a gRPC frame. */
function framed(bytes: Uint8Array): Buffer {
  const head = Buffer.alloc(5);
  head.writeUInt32BE(bytes.length, 1);
  return Buffer.concat([head, bytes]);
}

describe('unread answers of a gRPC caller', () => {
  let server: CallListener;
  let port: number;
  beforeAll(async () => {
    server = createGrpcServer({ serve: serveSample, tokens, log: silentLog, modules: [sample], slowReaderMs: 200 });
    port = await server.listen('127.0.0.1', 0);
  });
  afterAll(() => server.close());

  it('end its connection, even if it answers pings and reads other streams', async () => {
    const session = connect(`http://127.0.0.1:${port}`, { settings: { initialWindowSize: 0 } });
    session.on('error', () => {});
    const call = session.request({
      ...{ ':method': 'POST', ':path': path, te: 'trailers', 'content-type': 'application/grpc' },
      authorization: `Bearer ${await tokens.issue('other', 'sample')}`,
    });
    call.on('error', () => {});
    call.end(framed(input.encode({ text: 'x'.repeat(100_000) })));
    await once(session, 'close');
  });

  it('do not affect calls whose answers are read', async () => {
    const scene = await openScene();
    const client = clientOver(scene.link());
    const text = 'x'.repeat(100_000);
    for (let round = 0; round < 20; round++) expect(await client.echo({ text })).toEqual({ text });
    await scene.close();
  });
});
