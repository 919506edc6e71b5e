import { Client, credentials, Metadata, type ServiceError, status } from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sample } from '../../kernel/calls/transport.cases.ts';
import type { CallContext } from '../../kernel/context/index.ts';
import { type GrpcScene, openScene, tokens } from './grpc.cases.ts';
import { protoOf } from './proto/proto.ts';

describe('metadata that two readers may understand differently', () => {
  const rpc = protoOf(sample).operations.get('keep')!;
  const request = rpc.input.encode({ text: 'x' });
  let served: CallContext[];
  let scene: GrpcScene;
  let client: Client;

  beforeAll(async () => {
    served = [];
    scene = await openScene({
      serve: async (_module, _operation, input, context) => {
        served.push(context);
        return input;
      },
    });
    client = new Client(scene.at, credentials.createInsecure());
  });

  afterAll(async () => {
    client.close();
    await scene.close();
  });

  async function send(...pairs: [string, string | Buffer][]): Promise<ServiceError | null> {
    const metadata = new Metadata();
    metadata.set('authorization', `Bearer ${await tokens.issue('other', 'sample')}`);
    for (const [name, value] of pairs) metadata.add(name, value);
    const asItIs = (bytes: Buffer) => bytes;
    return new Promise((resolve) => {
      client.makeUnaryRequest(rpc.path, asItIs, asItIs, request as Buffer, metadata, resolve);
    });
  }

  it.each<[string, [string, string | Buffer][]]>([
    [
      'idempotency-key',
      [
        ['idempotency-key', 'a'],
        ['idempotency-key-bin', Buffer.from('b')],
      ],
    ],
    [
      'idempotency-key',
      [
        ['idempotency-key-bin', Buffer.from('a')],
        ['idempotency-key-bin', Buffer.from('b')],
      ],
    ],
    ['authorization', [['authorization-bin', Buffer.from('Bearer y')]]],
    [
      'kerf-deadline-ms',
      [
        ['kerf-deadline-ms', '100'],
        ['kerf-deadline-ms', '10000'],
      ],
    ],
    [
      'kerf-member',
      [
        ['kerf-member', 'a'],
        ['kerf-member', 'b'],
      ],
    ],
    [
      'x-request-id',
      [
        ['x-request-id', 'a'],
        ['x-request-id-bin', Buffer.from('b')],
      ],
    ],
  ])('is refused: two of %s', async (name, pairs) => {
    served = [];
    expect(await send(...pairs)).toMatchObject({
      code: status.INVALID_ARGUMENT,
      details: `it has more than one ${name}; send one`,
    });
    expect(served).toEqual([]);
  });

  it('is accepted when a comma belongs to the value', async () => {
    served = [];
    expect(await send(['idempotency-key', 'a, b'])).toBeNull();
    expect(served).toMatchObject([{ idempotencyKey: 'a, b' }]);
  });
});
