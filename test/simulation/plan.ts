import type { Random } from './random.ts';

/** What one history is drawn from: where the modules run, what goes wrong, who orders what. */
export interface Plan {
  /** The modules of each process: those of one crash together. */
  readonly processes: readonly (readonly string[])[];
  /** Whether nobody sees that a process has died, so that its leases must run out. */
  readonly apart: boolean;
  readonly settings: Readonly<Record<string, string>>;
  readonly faults: Faults;
  readonly wishes: readonly Wish[];
}

/** What may go wrong until `untilMs` have passed. After that all goes well, so that every history can come to rest. */
export interface Faults {
  readonly untilMs: number;
  /** How often a message between two processes is lost, comes twice, or takes seconds. */
  readonly loss: number;
  readonly twice: number;
  readonly late: number;
  /** How often a process crashes just before a commit, and just after one. */
  readonly crash: number;
  readonly crashes: number;
}

/** An order that a member sends under its key until it is answered. */
export interface Wish {
  readonly key: string;
  readonly who: 'Ada' | 'Bob';
  readonly afterMs: number;
  readonly lines: readonly { sku: string; quantity: number }[];
  readonly paymentToken: string;
  readonly waitMs: number;
  /** Whether it is cancelled, once it is confirmed. */
  readonly cancelled: boolean;
}

const tokens = ['tok_ok', 'tok_ok', 'tok_ok', 'tok_ok', 'tok_declined', 'tok_flaky', 'tok_slow', 'tok_error'];
const goods = ['GLUE', 'OIL', 'WAX', 'LIMITED-1', 'LIMITED-1'];

export function draw(modules: readonly string[], random: Random): Plan {
  const count = random.whole(1, 3);
  return {
    processes: placements(modules, random),
    apart: random.chance(0.1),
    settings: {
      ORDERS_CHECKOUT_SECONDS: String(random.pick([2, 5, 10])),
      ...(random.chance(0.5) && { PAYMENTS_PROVIDER_URL: 'http://provider' }),
      INVENTORY_HOLD_SECONDS: String(random.pick([1, 4, 900])),
    },
    faults: {
      untilMs: random.between(500, 8_000),
      loss: random.pick([0, 0.02, 0.1, 0.3]),
      twice: random.pick([0, 0.05, 0.3]),
      late: random.pick([0, 0.02, 0.1]),
      crash: random.pick([0, 0.005, 0.02, 0.05]),
      crashes: random.whole(1, 6),
    },
    wishes: Array.from({ length: count }, (_, index) => wish(`key ${index + 1}`, random)),
  };
}

/** All in one process, each in its own, or anything in between. */
function placements(modules: readonly string[], random: Random): string[][] {
  const count = random.pick([1, random.whole(2, 4), modules.length]);
  if (count === modules.length) return modules.map((name) => [name]);
  const processes = Array.from({ length: count }, (): string[] => []);
  for (const name of modules) random.pick(processes).push(name);
  return processes.filter((names) => names.length > 0);
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
