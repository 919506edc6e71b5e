import type { Adapter } from '../../kernel/ports/index.ts';

/** Carries events over Kafka. */
export const kafka = (): Adapter => ({
  name: 'kafka',
  broker: {
    protocols: ['kafka:', 'kafkas:'],
    example: 'kafka://broker:9092',
    parameters: { partitions: /^[1-9]\d{0,3}$/, retentionHours: /^[1-9]\d{0,4}$/, mechanism: /^[A-Z0-9-]+$/ },
    events: {
      recipient: 'kafka',
      openBus: async (dependencies) => (await import('./events.ts')).openKafka(dependencies),
    },
  },
});
