import 'reflect-metadata';
import { Controller, Module, Post, Req } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';

class OldController {
  take(request) {
    return { old: request.body };
  }
}
// What the decorators @Controller(), @Post('old') and @Req() do.
Controller()(OldController);
Post('old')(OldController.prototype, 'take', Object.getOwnPropertyDescriptor(OldController.prototype, 'take'));
Req()(OldController.prototype, 'take', 0);

class AppModule {}
Module({ controllers: [OldController] })(AppModule);

/** An application with NestJS that takes Kerf in. */
export async function nestWith(kerf) {
  const app = await NestFactory.create(AppModule, { logger: false });
  app.use(kerf.handle);
  return app;
}
