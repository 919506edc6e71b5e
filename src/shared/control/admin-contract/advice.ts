import { z } from 'zod';

/** What `GET /ops/advice` answers. */
export const adviceAnswer = z.looseObject({
  seconds: z.number(),
  per: z.string().nullable(),
  parity: z.string(),
  price: z.looseObject({ ms: z.number(), cpuMs: z.number() }),
  items: z.array(
    z.looseObject({
      module: z.string(),
      verdict: z.string(),
      costs: z.looseObject({ remoteCallsPer: z.number(), addedMsPer: z.number(), addedCpuMsPerSecond: z.number() }),
      brings: z.looseObject({
        cpuMsPerSecond: z.number(),
        cpuShare: z.number(),
        longestBlockMs: z.number(),
        failures: z.number(),
      }),
    }),
  ),
  edges: z.array(z.unknown()).readonly(),
});
