import type { Adapter } from '../../kernel/ports/index.ts';

/** Carries events over Kafka. */
export const kafka = (): Adapter => ({
  name: 'kafka',
  broker: {
    protocols: ['kafka:', 'kafkas:'],
    openBus: async (dependencies) => (await import('./events.ts')).openKafka(dependencies),
  },
});
