import type { Adapter } from '../../kernel/ports/index.ts';

/** Carries events and calls over RabbitMQ, or another broker that speaks AMQP 0-9-1. */
export const rabbitmq = (): Adapter => ({
  name: 'rabbitmq',
  broker: {
    protocols: ['amqp:', 'amqps:'],
    example: 'amqp://user:secret@broker:5672',
    events: {
      recipient: 'amqp',
      openBus: async (dependencies) => (await import('./events.ts')).openAmqp(dependencies),
    },
    openSession: async (way, replies) => (await import('./calls.ts')).openAmqp(way, replies),
  },
});
