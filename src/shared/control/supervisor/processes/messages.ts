import { z } from 'zod';
import { publicJwkSchema } from '../../../kernel/identity/index.ts';
import { callFaultSchema } from '../../faults/index.ts';

/** What a service tells the process that started it, and the other way round. */
export const fromModuleProcess = z.discriminatedUnion('type', [
  z.object({ type: z.literal('ready'), address: z.url(), reachedAt: z.string(), contract: z.unknown() }),
  /** Asks to be enrolled with this key, which the process has made for itself. */
  z.object({ type: z.literal('enrol'), publicKey: publicJwkSchema }),
  z.object({ type: z.literal('answer'), id: z.int(), result: z.unknown().optional(), failure: z.string().optional() }),
]);
const enrolment = z.object({
  certificate: z.string(),
  keys: z.array(publicJwkSchema).readonly(),
  now: z.number(),
});
export const toModuleProcess = z.discriminatedUnion('type', [
  /** Where the instances of the other services are. A module that is not named is reached through the home process. */
  z.object({ type: z.literal('addresses'), addresses: z.record(z.string(), z.array(z.string())) }),
  /** The answer to `enrol`; again whenever the system's keys change. */
  z.object({ type: z.literal('enrolled'), enrolment }),
  z.object({ type: z.literal('faults'), faults: z.array(callFaultSchema) }),
  /** Asks for something to be done, such as a part of a move; answered with the same `id`. */
  z.object({ type: z.literal('ask'), id: z.int(), what: z.string(), given: z.unknown().optional() }),
  /** The home process is about to stop; it will say when this one is to. */
  z.object({ type: z.literal('stopping') }),
  z.object({ type: z.literal('drain') }),
  z.object({ type: z.literal('stop') }),
]);
export type ToModuleProcess = z.infer<typeof toModuleProcess>;
export type FromModuleProcess = z.infer<typeof fromModuleProcess>;

/** Tells a process in its environment to fetch no calls from a broker until it is asked to. */
export const heldBackVariable = 'CALLS_HELD_BACK';
