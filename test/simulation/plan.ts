import type { Random } from './random.ts';

/** The random input of one history: the placement of modules, the faults and the orders. */
export interface Plan {
  /** The modules of each process. Modules of one process crash together. */
  readonly processes: readonly (readonly string[])[];
  /** Whether the processes run on different machines. No process then sees the death of another, so that its leases must expire. */
  readonly apart: boolean;
  /** Index of the process that runs twice on the same data; -1 for none. */
  readonly twin: number;
  readonly settings: Readonly<Record<string, string>>;
  readonly faults: Faults;
  readonly incidents: readonly Incident[];
  readonly poison?: Poison;
  readonly release?: Release;
  readonly lost?: LostData;
  readonly wishes: readonly Wish[];
  readonly signUps: readonly SignUp[];
}

/** Probabilities of faults. Faults stop after `untilMs`, so that every history can come to rest. */
export interface Faults {
  readonly untilMs: number;
  /** Probability that a message between two processes is lost, is repeated (`twice`), or takes seconds (`late`). */
  readonly loss: number;
  readonly twice: number;
  readonly late: number;
  /** Probability that a process crashes just before or just after a commit. `crashes` is the maximum number of crashes. */
  readonly crash: number;
  readonly crashes: number;
  /** Probability that a client hangs up, or sets a timeout that may be too short. */
  readonly hangUp: number;
  /** Probability that a handler or the provider never returns. `slow`: probability that a handler takes longer. */
  readonly hang: number;
  readonly slow: number;
  /** Probability that a unit of work starts late. */
  readonly stall: number;
}

/** An incident of a process: it freezes, or its clock steps. The incident ends after `forMs`. */
export type Incident = { readonly process: number; readonly afterMs: number; readonly forMs: number } & (
  | { readonly kind: 'freeze' }
  /** Size of the clock step. A step of more than 5 s affects all clocks: clocks of different machines agree within 5 s. */
  | { readonly kind: 'clock step'; readonly byMs: number }
);

/**
 * One event that its subscriber cannot handle: the handler kills the process, or never returns, until a new release fixes it. Such a
 * history has no other faults, so that every effect of the event can be recognized.
 */
export interface Poison {
  readonly subscriber: string;
  readonly how: 'kill' | 'hang';
}

/**
 * Another release of a module with a migration, and the rollback of that release. After a `contract` migration the earlier release cannot
 * use the data and must refuse to start.
 */
export interface Release {
  readonly module: string;
  readonly phase: 'expand' | 'contract';
  readonly afterMs: number;
  readonly backAfterMs: number;
}

/** A loss while the module's process is down: its file is missing or an older copy, or its record in the data folder is damaged. */
export interface LostData {
  readonly module: string;
  readonly kind: 'missing' | 'older copy' | 'damaged record';
  readonly afterMs: number;
}

/** An order that a member repeats under its key until an answer arrives. */
export interface Wish {
  readonly key: string;
  readonly who: 'Ada' | 'Bob';
  readonly afterMs: number;
  readonly lines: readonly { sku: string; quantity: number }[];
  readonly paymentToken: string;
  readonly waitMs: number;
  /** Whether the member cancels the order after its confirmation. */
  readonly cancelled: boolean;
}

/** A sign-up that a person repeats under its key until an answer arrives. */
export interface SignUp {
  readonly key: string;
  readonly afterMs: number;
  readonly phone?: string;
}

const tokens = ['tok_ok', 'tok_ok', 'tok_ok', 'tok_ok', 'tok_declined', 'tok_flaky', 'tok_slow', 'tok_error'];
const goods = ['GLUE', 'OIL', 'WAX', 'LIMITED-1', 'LIMITED-1'];

/** Draws a plan. `later` draws newer kinds of faults, so that they do not change the draws of histories in seeds.json. */
export function draw(modules: readonly string[], random: Random, later: Random): Plan {
  const count = random.whole(1, 3);
  const processes = placements(modules, random);
  const apart = random.chance(0.1);
  const twin = random.chance(0.2) ? drawTwin(processes, random) : -1;
  const poison = random.chance(0.04)
    ? { subscriber: 'recommendations', how: random.pick(['kill', 'hang'] as const) }
    : undefined;
  const plan = {
    processes,
    apart,
    twin,
    settings: {
      ORDERS_CHECKOUT_SECONDS: String(random.pick([2, 5, 10])),
      ...(random.chance(0.5) && { PAYMENTS_PROVIDER_URL: 'http://provider' }),
      INVENTORY_HOLD_SECONDS: String(random.pick([1, 4, 900])),
    },
    faults: poison ? { ...none, untilMs: 0 } : faults(random),
    incidents: poison ? [] : incidents(processes.length, twin, apart, random),
    poison,
    release: twin < 0 && !poison && random.chance(0.08) ? release(modules, random) : undefined,
    wishes: Array.from({ length: count }, (_, index) => wish(`key ${index + 1}`, random)),
    signUps: random.chance(0.3) ? [signUp('sign-up', random)] : [],
  };
  const isLost = twin < 0 && !poison && !plan.release && later.chance(0.2);
  return isLost ? { ...plan, lost: lostData(modules, later) } : plan;
}

const none = { loss: 0, twice: 0, late: 0, crash: 0, crashes: 0, hangUp: 0, hang: 0, slow: 0, stall: 0 };

function faults(random: Random): Faults {
  return {
    untilMs: random.between(500, 8_000),
    loss: random.pick([0, 0.02, 0.1, 0.3]),
    twice: random.pick([0, 0.05, 0.3]),
    late: random.pick([0, 0.02, 0.1]),
    crash: random.pick([0, 0.005, 0.02, 0.05]),
    crashes: random.whole(1, 6),
    hangUp: random.pick([0, 0, 0.3, 0.8]),
    hang: random.pick([0, 0, 0, 0.02, 0.1]),
    slow: random.pick([0, 0, 0, 0.02, 0.1]),
    stall: random.pick([0, 0, 0, 0.02, 0.1]),
  };
}

function incidents(processes: number, twin: number, apart: boolean, random: Random): Incident[] {
  const all = Array.from({ length: random.pick([0, 0, 0, 0, 1, 2]) }, (): Incident => {
    const [afterMs, process] = [random.between(0, 5_000), random.whole(0, processes - 1)];
    if (random.chance(0.5)) return { kind: 'freeze', process, afterMs, forMs: random.between(100, 20_000) };
    const byMs = random.pick([...(apart ? [-2_000, 2_000] : []), -7_200_000, -30_000, 30_000, 7_200_000]);
    return { kind: 'clock step', process, afterMs, forMs: random.between(100, 20_000), byMs };
  });
  // Freezes the process for longer than a lease, so that its twin becomes leader.
  const long = { afterMs: random.between(0, 5_000), forMs: random.between(31_000, 60_000) };
  return twin >= 0 && random.chance(0.3) ? [...all, { kind: 'freeze', process: twin, ...long }] : all;
}

/** Draws the process that runs twice. The process of payments runs once, because the simulated provider knows one caller. */
function drawTwin(processes: readonly (readonly string[])[], random: Random): number {
  const index = random.whole(0, processes.length - 1);
  return processes[index]!.includes('payments') ? -1 : index;
}

/** Places the modules in one process, in one process each, or anything in between. */
function placements(modules: readonly string[], random: Random): string[][] {
  const count = random.pick([1, random.whole(2, 4), modules.length]);
  if (count === modules.length) return modules.map((name) => [name]);
  const processes = Array.from({ length: count }, (): string[] => []);
  for (const name of modules) random.pick(processes).push(name);
  return processes.filter((names) => names.length > 0);
}

function release(modules: readonly string[], random: Random): Release {
  const [module, phase] = [random.pick(modules), random.pick(['expand', 'contract'] as const)];
  return { module, phase, afterMs: random.between(0, 4_000), backAfterMs: random.between(5_000, 10_000) };
}

function lostData(modules: readonly string[], random: Random): LostData {
  const [module, kind] = [random.pick(modules), random.pick(['missing', 'older copy', 'damaged record'] as const)];
  return { module, kind, afterMs: random.between(1_000, 8_000) };
}

function signUp(key: string, random: Random): SignUp {
  return { key, afterMs: random.between(0, 3_000), ...(random.chance(0.5) && { phone: '+82 10 8765 4321' }) };
}

function wish(key: string, random: Random): Wish {
  const skus = random.shuffle([...new Set(goods)]).slice(0, random.whole(1, 2));
  return {
    key,
    who: random.pick(['Ada', 'Bob']),
    afterMs: random.between(0, 2_000),
    lines: skus.map((sku) => ({ sku, quantity: random.whole(1, 3) })),
    paymentToken: random.pick(tokens),
    waitMs: random.pick([0, 1_000, 5_000]),
    cancelled: random.chance(0.25),
  };
}
