import { z } from 'zod';
import { countWaiting, lastPublished } from '../../kernel/events/index.ts';
import type { OpenModule } from '../../kernel/module/index.ts';
import { listSagas } from '../../kernel/saga/index.ts';

const maxCounted = 1_000;
const count = z.int().min(0);

/** The leader tasks that a replica stopped when it gave up leadership. `pending` counts its waiting events up to number `upTo`. */
export const leadGivenUpSchema = z.object({
  led: z.boolean(),
  timers: z.array(z.string()),
  upTo: count,
  pending: count,
  held: count,
  /** The time at which the leader tasks had ended, in milliseconds since 1970. */
  endedAt: z.number(),
});
export type LeadGivenUp = z.output<typeof leadGivenUpSchema>;

/**
 * The state that a replica found when it tried to take leadership. `leads` says whether it succeeded. `pending` counts the waiting events
 * up to the requested number.
 */
export const leadTakenSchema = leadGivenUpSchema
  .omit({ led: true, upTo: true, endedAt: true })
  .extend({ leads: z.boolean(), begunAt: z.number() });
export type LeadTaken = z.output<typeof leadTakenSchema>;

/**
 * Counts the sagas in flight when a replica stopped taking sagas, and how many of them ended there. Lists the sagas that the replica left
 * to others.
 */
export const sagasSchema = z.object({ underWay: count, ended: count, handedOver: z.array(z.string()) });
export type SagasHandedOver = z.output<typeof sagasSchema>;

/**
 * Controls the replica of one process while the module moves between processes. One replica gives up leadership, and another one takes it.
 * `takeUp` reverses each step.
 */
export interface Handover {
  /** Stops relay, inbox and timers once their work in flight has finished. Then another replica may lead. */
  giveUpLead(): Promise<LeadGivenUp>;
  /** Takes leadership unless another replica leads. Counts the waiting events up to number `upTo`. */
  takeLead(upTo: number): Promise<LeadTaken>;
  /** Takes no more sagas. Lets the sagas in flight continue for at most `withinMs`, and leaves the rest to other replicas. */
  finishSagas(withinMs: number): Promise<SagasHandedOver>;
  /** Counts how many of these sagas its database knows, wherever they run. Also takes up sagas that other replicas have left. */
  countSagas(ids: readonly string[]): Promise<number>;
  /** Counts the sagas of the module that need an operator. */
  stuckSagas(): Promise<number>;
  /** Leaves the set of replicas that run the module. The replica still serves calls. */
  leave(): Promise<void>;
  /** Takes part again as before: competes for leadership and takes sagas. */
  takeUp(): Promise<void>;
}

/** Returns the handover of a module in this process. */
export function handoverOf({ database, instance, sagas, timers }: OpenModule): Handover {
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
    stuckSagas: async () => (await listSagas(database, 'stuck', maxCounted)).length,
    leave: () => instance.stop(),
    async takeUp() {
      await instance.takeUp();
      await sagas.start();
    },
  };
}
