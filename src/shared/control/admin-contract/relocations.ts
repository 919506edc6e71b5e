import { z } from 'zod';
import { vias } from './placements.ts';
import { problemAnswer } from './problem.ts';

/** The settings of a mirror, which also sends queries to the new replicas for a time, to compare the answers. */
export const mirrorSchema = z.strictObject({
  forMs: z.int().min(100).max(3_600_000).default(10_000),
  /** Whether the move fails when there is no answer to compare. */
  required: z.boolean().default(true),
});
export type Mirror = z.output<typeof mirrorSchema>;

/** The settings of a canary: the new replicas receive a growing share of the calls before they receive all. */
export const canarySchema = z.strictObject({
  /** The first share, 0 to 1. */
  share: z.number().gt(0).max(1).default(0.05),
  /** Minimum duration of a share. */
  stageMs: z.int().min(100).max(3_600_000).default(10_000),
  /** Minimum number of calls to the new replicas at each share before a verdict; only too many failures count earlier. */
  leastCalls: z.int().min(1).max(100_000).default(100),
  /** Maximum duration of a share, while calls are too few or the verdict is open; six times `stageMs` when absent. */
  maxWaitMs: z.int().min(100).max(86_400_000).optional(),
  /** How much higher the failure rate of the new replicas may be: 0.01 is one call in a hundred. */
  maxFailures: z.number().min(0).max(1).default(0.01),
  /** How much slower their calls may be than the old 95th percentile, in milliseconds; `defaultAllowedMs` when absent. */
  maxSlowerMs: z.number().min(0).max(60_000).optional(),
});
export type Canary = z.output<typeof canarySchema>;

/** The author of an order, for the log and for other operators meanwhile. */
const by = z
  .string()
  .max(200)
  .regex(/^\P{C}*$/u, 'must be printable')
  .default('an operator');

/** The parts of a placement in processes of its own. An absent part stays as it is; `null` is the default. */
const changeSchema = z.strictObject({
  via: z.enum(vias).optional(),
  instances: z.int().nullable().optional(),
  port: z.int().nullable().optional(),
  artifact: z.string().max(2_048).nullable().optional(),
});
export type Change = z.output<typeof changeSchema>;

/** The body of `PUT /ops/modules/{name}`. */
export const relocationSchema = z.strictObject({
  placement: z.string().max(2_048).optional(),
  ...changeSchema.shape,
  again: z.boolean().default(false),
  canary: canarySchema.optional(),
  mirror: mirrorSchema.optional(),
  forNow: z.boolean().default(false),
  by,
});

/** The query of `DELETE /ops/modules/{name}`. */
export const abortSchema = z.strictObject({ by });

/** What `GET /ops/modules/{name}` answers. */
export const moduleAnswer = z.looseObject({ outside: z.string().nullable() });

const countsSchema = z.looseObject({ calls: z.number(), failures: z.number(), p95Ms: z.number().optional() });

/** An observation in a long step: what a mirror compared, or the calls of a canary. */
const seenSchema = z.looseObject({
  ...{ same: z.number().optional(), different: z.number().optional() },
  ...{ other: countsSchema.optional(), before: countsSchema.optional(), sure: z.number().optional() },
});
export type StepObservation = z.output<typeof seenSchema>;

/** A completed step, with the details that its kind has. */
const doneSchema = seenSchema.extend({
  ...{ step: z.string(), ms: z.number() },
  toMirror: z
    .looseObject({
      operations: z.array(z.string()),
      sent: z.looseObject({ queries: z.number(), commands: z.number() }),
    })
    .optional(),
  ...{ copies: z.array(z.string()).optional(), staying: z.number().optional() },
  ...{ calls: z.number().optional(), gapMs: z.number().optional() },
  ...{ file: z.string().nullish(), trouble: z.string().optional() },
});

const reportSchema = z.looseObject({
  ...{ module: z.string(), to: z.string(), ms: z.number(), callsDrained: z.number() },
  events: z.looseObject({
    ...{ pendingBefore: z.number(), pendingAfter: z.number() },
    ...{ heldBefore: z.number(), heldAfter: z.number() },
  }),
  sagas: z.looseObject({
    ...{ underWay: z.number(), ended: z.number(), handedOver: z.number(), found: z.number() },
  }),
  timers: z.looseObject({ before: z.number(), after: z.number() }),
});

/** A line of the answer to `PUT /ops/modules/{name}`: a step, or the end with `report` or `problem`. */
export const progressLine = z.looseObject({
  begun: z.string().optional(),
  watched: z.string().optional(),
  seen: seenSchema.optional(),
  done: doneSchema.optional(),
  failed: z.string().optional(),
  takenBack: z.string().optional(),
  report: reportSchema.optional(),
  problem: problemAnswer.optional(),
});
export type ProgressLine = z.output<typeof progressLine>;
