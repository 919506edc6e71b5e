// The shop as a NestJS application on Express, its default. It applies the decorators by hand, because Node runs this file without a build.
import 'reflect-metadata';
import {
  Body,
  Controller,
  Get,
  Headers,
  HttpException,
  Module,
  Param,
  Post,
  Query,
  Req,
  StandardSchemaValidationPipe,
  UseGuards,
} from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { checkoutBody, keyHeader, memberOf, openShop, pageQuery, ready, skuParam, statusOf } from './shop.mjs';

const shop = openShop();

class SignedIn {
  async canActivate(context) {
    const request = context.switchToHttp().getRequest();
    try {
      request.member = await memberOf(request.headers.authorization);
      return true;
    } catch {
      throw new HttpException({ code: 'unauthenticated' }, 401);
    }
  }
}

class OrdersController {
  place(body, key, { member }) {
    const order = shop.place(member, body, key);
    if (order.code) throw new HttpException(order, statusOf[order.code]);
    return order;
  }

  list({ limit, cursor }, { member }) {
    return shop.orders(member, limit, cursor);
  }
}

class ProductsController {
  get(sku) {
    const product = shop.product(sku);
    if (!product) throw new HttpException({ code: 'not-found' }, 404);
    return product;
  }
}

class ShopModule {}

function decorate(owner, method, route, ...parameters) {
  const { prototype } = owner;
  for (const [index, parameter] of parameters.entries()) parameter(prototype, method, index);
  route(prototype, method, Object.getOwnPropertyDescriptor(prototype, method));
}

const signedIn = UseGuards(SignedIn);
const guarded = (route) => (prototype, method, descriptor) => {
  route(prototype, method, descriptor);
  signedIn(prototype, method, descriptor);
};
decorate(
  OrdersController,
  'place',
  guarded(Post('orders')),
  Body({ schema: checkoutBody }),
  Headers('idempotency-key', { schema: keyHeader }),
  Req(),
);
decorate(OrdersController, 'list', guarded(Get('orders')), Query({ schema: pageQuery }), Req());
decorate(ProductsController, 'get', Get('products/:sku'), Param('sku', { schema: skuParam }));
Controller()(OrdersController);
Controller()(ProductsController);
Module({ controllers: [OrdersController, ProductsController] })(ShopModule);

const app = await NestFactory.create(ShopModule, { logger: false, abortOnError: false });
app.useGlobalPipes(new StandardSchemaValidationPipe());
await app.listen(0, '127.0.0.1');
await ready(app.getHttpServer().address().port, shop);
