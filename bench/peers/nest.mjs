import 'reflect-metadata';
import { Controller, Module, StandardSchemaValidationPipe } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ClientProxyFactory, MessagePattern, Payload, Transport } from '@nestjs/microservices';
import { lastValueFrom } from 'rxjs';
import { inputSchema } from './schemas.mjs';
import { price } from './work.mjs';

class PriceController {
  price(input) {
    return price(input);
  }
}

class PriceModule {}

// Applies the decorators by hand, because Node runs this file without a build.
const { prototype } = PriceController;
Payload({ schema: inputSchema })(prototype, 'price', 0);
MessagePattern('price')(prototype, 'price', Object.getOwnPropertyDescriptor(prototype, 'price'));
Controller()(PriceController);
Module({ controllers: [PriceController] })(PriceModule);

export async function open() {
  const transport = Transport.TCP;
  const app = await NestFactory.createMicroservice(PriceModule, {
    transport,
    options: { host: '127.0.0.1', port: 0 },
    logger: false,
    abortOnError: false,
  });
  app.useGlobalPipes(new StandardSchemaValidationPipe());
  await app.listen();
  const { port } = app.unwrap().address();
  const client = ClientProxyFactory.create({ transport, options: { host: '127.0.0.1', port } });
  await client.connect();
  return [
    {
      name: 'nest microservice, tcp',
      call: (input) => lastValueFrom(client.send('price', input)),
      async close() {
        client.close();
        await app.close();
      },
    },
  ];
}
