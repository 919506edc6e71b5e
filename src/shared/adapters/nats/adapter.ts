import type { Adapter } from '../../kernel/ports/index.ts';

/** Carries events over NATS JetStream, and calls over NATS. */
export const nats = (): Adapter => ({
  name: 'nats',
  broker: {
    protocols: ['nats:', 'tls:'],
    example: 'nats://broker:4222',
    events: {
      recipient: 'nats',
      openBus: async (dependencies) => (await import('./events.ts')).openNats(dependencies),
    },
    openSession: async (way, replies) => (await import('./calls.ts')).openNats(way, replies),
  },
});
