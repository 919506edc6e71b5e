import { fromJSON } from '@grpc/proto-loader';
import { ReflectionService } from '@grpc/reflection';
import protobuf from 'protobufjs';
import descriptor from 'protobufjs/ext/descriptor.js';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { contract, money, query } from '../../../kernel/contract/index.ts';
import { protoOf } from './proto.ts';
import { fileDescriptorsOf, packageDefinitionOf } from './reflection.ts';

const shop = contract('corner-shop', {
  operations: {
    price: query({
      summary: 'Prices',
      input: z.object({ a_b: z.string().optional(), anything: z.union([z.string(), z.int()]).optional() }),
      output: z.object({ by_sku: z.record(z.string(), money) }),
    }),
  },
});

describe('the descriptors', () => {
  it('match the text, and import the types that they use', () => {
    const files = fileDescriptorsOf(shop).map((bytes) => descriptor.FileDescriptorProto.decode(bytes));
    expect(files.map((file) => file.toJSON())).toMatchObject([
      {
        name: 'kerf/corner_shop/v1.proto',
        syntax: 'proto3',
        package: 'kerf.corner_shop.v1',
        dependency: ['google/protobuf/struct.proto'],
        messageType: [
          {
            name: 'PriceInput',
            field: [
              { name: 'a_b', jsonName: 'a_b', proto3Optional: true, oneofIndex: 0 },
              { name: 'anything', jsonName: 'anything', typeName: 'google.protobuf.Value' },
            ],
          },
          {
            name: 'PriceOutput',
            field: [{ name: 'by_sku', jsonName: 'by_sku', typeName: '.kerf.corner_shop.v1.PriceOutput.BySkuEntry' }],
            nestedType: [{ name: 'BySkuEntry', options: { mapEntry: true } }],
          },
          { name: 'PriceOutputBySkuEntry' },
        ],
        service: [{ name: 'CornerShop', method: [{ name: 'Price' }] }],
      },
      { name: 'google/protobuf/struct.proto', package: 'google.protobuf' },
    ]);
  });

  it('suffice to call the service', () => {
    const set = { file: fileDescriptorsOf(shop).map((bytes) => descriptor.FileDescriptorProto.decode(bytes)) };
    const root = protobuf.Root.fromDescriptor(set as never, { keepCase: true });
    const bytes = root
      .lookupType('PriceInput')
      .encode({ a_b: '', anything: { number_value: 1 } })
      .finish();
    expect(protoOf(shop).operations.get('price')!.input.decode(bytes)).toEqual({ a_b: '', anything: 1 });
  });

  it('are served by the reflection service', () => {
    const told = new ReflectionService(packageDefinitionOf(shop) as never) as unknown as {
      v1: { handleServerReflectionRequest(request: object): Record<string, unknown> };
    };
    const ask = (request: object) => told.v1.handleServerReflectionRequest(request);
    const symbol = 'kerf.corner_shop.v1.CornerShop';
    expect(ask({ messageRequest: 'listServices', listServices: '*' })).toMatchObject({
      listServicesResponse: { service: [{ name: symbol }] },
    });
    expect(ask({ messageRequest: 'fileContainingSymbol', fileContainingSymbol: symbol })).toMatchObject({
      fileDescriptorResponse: { fileDescriptorProto: [expect.anything(), expect.anything()] },
    });
  });
});

it('proto-loader accepts the root', () => {
  const { root, service, operations } = protoOf(shop);
  const loaded = fromJSON(root.toJSON() as never, { keepCase: true });
  expect(loaded[service]).toMatchObject({ Price: { path: operations.get('price')!.path } });
});
