import { z } from 'zod';

/** What a process needs around it, as the program prints it with `--prerequisites`. It contains no secrets. */
export const prerequisitesSchema = z.object({
  dataDir: z.string(),
  /** Where the process listens; the port 0 takes a free one. */
  listeners: z.array(z.object({ setting: z.string(), host: z.string(), port: z.int() })),
  /** The files that settings name. */
  files: z.array(z.object({ setting: z.string(), file: z.string() })),
  /** The number of module processes that it starts. */
  processes: z.int(),
  /** The brokers of the topology; `why` one cannot be reached, or refuses this user. */
  brokers: z.array(z.object({ setting: z.string(), address: z.string(), why: z.string().optional() })),
  /** Where it looks for the instances of modules, and how many it finds there. */
  sources: z.array(z.object({ module: z.string(), source: z.string(), found: z.int() })),
});
export type Prerequisites = z.output<typeof prerequisitesSchema>;

/** A process about itself. Times are milliseconds since 1970 by the clock of its machine. */
const processFacts = z.looseObject({
  /** `home`, or the modules that it was told to run. */
  name: z.string(),
  host: z.string(),
  pid: z.int(),
  node: z.string(),
  receivedAt: z.number(),
  sentAt: z.number(),
  /** By how much its machine's clock has stepped since the process began. */
  steppedMs: z.number(),
  loopDelayMs: z.number(),
  memory: z.looseObject({ usedBytes: z.number(), limitBytes: z.number() }),
  /** Null where the operating system does not say it. */
  files: z.looseObject({ open: z.int(), limit: z.number() }).nullable(),
  disk: z.looseObject({ folder: z.string(), freeBytes: z.number(), freeFiles: z.number(), files: z.number() }),
  certificates: z.array(z.looseObject({ setting: z.string(), until: z.number() })),
  /** Until when its certificate lets it call, and the file that it is from; null in the home process. */
  identity: z.looseObject({ until: z.number(), file: z.string().optional() }).nullable(),
  /** The names of the settings that make it export telemetry. */
  exporters: z.array(z.string()),
  /** A digest of each contract that it knows, by module. */
  contracts: z.record(z.string(), z.string()),
  modules: z.array(
    z.looseObject({
      name: z.string(),
      /** How long the oldest event in the outbox has waited, by recipient. */
      oldestEvents: z.array(z.looseObject({ recipient: z.string(), waitedMs: z.number() })),
    }),
  ),
});
export type ProcessFacts = z.output<typeof processFacts>;

const names = z.array(z.string()).readonly();

/** What `GET /ops/process` answers in each process, and `GET /ops/processes` in the home process for all of them. */
export const processAnswer = processFacts;
export const processesAnswer = z.looseObject({
  /** What modules lack, as `/readyz` names it; with the reason why one cannot write. */
  readiness: z.object({
    ...{ away: names, starting: names, unresponsive: names, draining: names, undelivered: names },
    unwritable: z.record(z.string(), z.string()),
  }),
  items: z.array(
    z.looseObject({
      /** The module for which it was asked; `home` for the home process. */
      module: z.string(),
      address: z.string().nullable(),
      /** When the home process sent the request and received the answer, by its own clock. */
      sentAt: z.number(),
      receivedAt: z.number(),
      facts: processFacts.optional(),
      /** Why the process has not answered. */
      why: z.string().optional(),
    }),
  ),
});
/** A row of `GET /ops/outbox`: events that wait in a module's outbox for a recipient, or in its own retry queue. */
export const outboxRow = z.looseObject({
  module: z.string(),
  recipient: z.string().optional(),
  state: z.string().optional(),
  held: z.string().optional(),
  count: z.int(),
});

export type AskedProcess = z.output<typeof processesAnswer>['items'][number];
