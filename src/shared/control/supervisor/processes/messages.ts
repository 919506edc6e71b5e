import { z } from 'zod';
import { publicJwkSchema } from '../../identity/index.ts';

/** The messages from a module process to its parent. `toModuleProcess` is the other direction. */
export const fromModuleProcess = z.discriminatedUnion('type', [
  z.object({ type: z.literal('ready'), address: z.url(), reachedAt: z.string(), contract: z.unknown() }),
  /** Asks the parent to enroll this key, which the process has made itself. */
  z.object({ type: z.literal('enrol'), publicKey: publicJwkSchema }),
  /** The final state of a part of control, from a process that ends while the system continues. */
  z.object({ type: z.literal('left'), part: z.string(), state: z.unknown() }),
  z.object({ type: z.literal('answer'), id: z.int(), result: z.unknown().optional(), failure: z.string().optional() }),
]);
const enrolment = z.object({
  certificate: z.string(),
  keys: z.array(publicJwkSchema).readonly(),
  now: z.number(),
});
export const toModuleProcess = z.discriminatedUnion('type', [
  /** The addresses of the other module processes. Calls to a module without an entry go through the home process. */
  z.object({ type: z.literal('addresses'), addresses: z.record(z.string(), z.array(z.string())) }),
  /** Answers `enrol`; the parent sends it again whenever the system's keys change. */
  z.object({ type: z.literal('enrolled'), enrolment }),
  /** The state of a part of control in the home process. */
  z.object({ type: z.literal('shared'), part: z.string(), state: z.unknown() }),
  /** Requests an action, such as a part of a relocation. The answer has the same `id`. */
  z.object({ type: z.literal('ask'), id: z.int(), what: z.string(), given: z.unknown().optional() }),
  /** The home process is about to stop; it tells the module process later when to stop. */
  z.object({ type: z.literal('stopping') }),
  z.object({ type: z.literal('drain') }),
  z.object({ type: z.literal('stop') }),
]);
export type ToModuleProcess = z.infer<typeof toModuleProcess>;
export type FromModuleProcess = z.infer<typeof fromModuleProcess>;

/** Environment variable that tells a process to fetch no calls from a broker until its parent asks it to. */
export const callsPausedVariable = 'CALLS_HELD_BACK';
