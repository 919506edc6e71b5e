import { z } from 'zod';

const instanceSchema = z.looseObject({
  /** Null for a process that somebody else started. */
  pid: z.number().nullable(),
  /** Null for the home process, and for a process that is not ready. */
  address: z.string().nullable(),
  /** Where callers reach the module, when that is not `address`. */
  calledAt: z.string().optional(),
  /** Whether the event loop of the process does not turn. */
  unresponsive: z.boolean().optional(),
});

const moduleSchema = z.looseObject({
  name: z.string(),
  placement: z.string(),
  state: z.string(),
  /** Why it is not ready, when the state does not say it. */
  why: z.string().optional(),
  instances: z.array(instanceSchema).readonly(),
});

/** What `GET /ops/topology` answers. */
export const topologyAnswer = z.looseObject({ bus: z.string(), modules: z.array(moduleSchema).readonly() });

export type ModuleState = z.output<typeof moduleSchema>;
