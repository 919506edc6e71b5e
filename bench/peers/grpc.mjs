import { join } from 'node:path';
import { promisify } from 'node:util';
import grpc from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import { price } from './work.mjs';

export async function open() {
  const { Pricing } = grpc.loadPackageDefinition(
    loadSync(join(import.meta.dirname, 'price.proto'), { longs: Number, defaults: true }),
  ).bench;
  const server = new grpc.Server();
  server.addService(Pricing.service, {
    price: ({ request }, answer) => price(request).then((reply) => answer(null, reply), answer),
  });
  const bind = promisify(server.bindAsync.bind(server));
  const port = await bind('127.0.0.1:0', grpc.ServerCredentials.createInsecure());
  const client = new Pricing(`127.0.0.1:${port}`, grpc.credentials.createInsecure());
  return [
    {
      name: 'grpc-js, unary',
      call: promisify(client.price.bind(client)),
      async close() {
        client.close();
        await promisify(server.tryShutdown.bind(server))();
      },
    },
  ];
}
