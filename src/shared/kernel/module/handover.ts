import { z } from 'zod';
import type { Database } from '../database/index.ts';
import { countWaiting, lastPublished } from '../events/index.ts';
import type { Instance } from '../leader-election/index.ts';
import { listSagas, type SagaRunner } from '../saga/index.ts';
import type { ModuleUnit } from './module.ts';

const mostCounted = 1_000;
const count = z.int().min(0);

/** What a replica stopped doing when it gave up the lead. Its events that wait are those up to `upTo`, by their number. */
export const leadGivenUpSchema = z.object({
  led: z.boolean(),
  timers: z.array(z.string()),
  upTo: count,
  pending: count,
  held: count,
  /** When it did so no more, in milliseconds since 1970. */
  endedAt: z.number(),
});
export type LeadGivenUp = z.output<typeof leadGivenUpSchema>;

/** What a replica found when it took the lead, if it could; `pending` counts the events up to the number that was asked for. */
export const leadTakenSchema = leadGivenUpSchema
  .omit({ led: true, upTo: true, endedAt: true })
  .extend({ leads: z.boolean(), begunAt: z.number() });
export type LeadTaken = z.output<typeof leadTakenSchema>;

/** Sagas that were in flight when a replica took no more, those of them that ended there, and those that were left to others. */
export const sagasSchema = z.object({ underWay: count, ended: count, handedOver: z.array(z.string()) });
export type SagasHandedOver = z.output<typeof sagasSchema>;

/**
 * One process's replica of a module, while the module moves between processes. What only one replica may do is given up by one and
 * taken by another; each step can be taken back by `takeUp`.
 */
export interface Handover {
  /** Ends relay, inbox and timers, once what was in flight is settled: another may lead from now on. */
  giveUpLead(): Promise<LeadGivenUp>;
  /** Leads from now on, unless another does. Counts what of the events up to number `upTo` waits. */
  takeLead(upTo: number): Promise<LeadTaken>;
  /** Takes no more sagas; those in flight end, or are left where they stand after `withinMs`. */
  finishSagas(withinMs: number): Promise<SagasHandedOver>;
  /** How many of these sagas are known to its data, wherever they run. Takes up at once what others have left of them. */
  countSagas(ids: readonly string[]): Promise<number>;
  /** How many of its sagas need a person. */
  stuckSagas(): Promise<number>;
  /** Is no longer counted among those that run the module. Calls are still served. */
  leave(): Promise<void>;
  /** Takes part again, as before. */
  takeUp(): Promise<void>;
}

interface HandoverDependencies {
  readonly database: Database;
  readonly instance: Instance;
  readonly sagas: SagaRunner<ModuleUnit>;
  /** Names of what runs from time to time. */
  readonly timers: readonly string[];
}

export function handoverOf({ database, instance, sagas, timers }: HandoverDependencies): Handover {
  return {
    async giveUpLead() {
      const led = instance.leads;
      let given = { endedAt: 0, upTo: 0, pending: 0, held: 0 };
      await instance.giveUpLead(async () => {
        const [endedAt, upTo] = [Date.now(), await lastPublished(database)];
        given = { endedAt, upTo, ...(await countWaiting(database, upTo)) };
      });
      return { led, timers: led ? [...timers] : [], ...given };
    },
    async takeLead(upTo) {
      const counted = await countWaiting(database, upTo);
      const leads = await instance.look();
      const begunAt = Date.now();
      sagas.wake();
      return { leads, begunAt, timers: leads ? [...timers] : [], ...counted };
    },
    finishSagas: (withinMs) => sagas.finish(withinMs),
    countSagas(ids) {
      sagas.wake();
      return sagas.count(ids);
    },
    stuckSagas: async () => (await listSagas(database, 'stuck', mostCounted)).length,
    leave: () => instance.stop(),
    async takeUp() {
      await instance.takeUp();
      await sagas.start();
    },
  };
}
