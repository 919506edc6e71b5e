import { Random } from '../simulation/random.ts';

/** Optional faults that this machine and this system support. A run can always inject the others. */
export interface Abilities {
  /** A data folder of limited size, which can be filled. */
  readonly fullDisk: boolean;
  /** A broker that carries the events. */
  readonly broker: boolean;
}

/** The processes of the system: a module's name, or `home` for the process with the public listener. */
export interface Targets {
  readonly modules: readonly string[];
  /** The modules that subscribe to events. */
  readonly subscribers: readonly string[];
}

/** One fault, or one operator's action. `atMs` counts from the start of the load; `forMs` is how long it lasts. */
export type Act = { readonly atMs: number; readonly forMs: number } & (
  | { readonly kind: 'kill' | 'freeze' | 'lost file' | 'older copy'; readonly target: string }
  | { readonly kind: 'edge'; readonly target: string; readonly fault: EdgeFaultChoice; readonly share: number }
  | { readonly kind: 'handlers'; readonly target: string; readonly how: 'hang' | 'slow' }
  | { readonly kind: 'fatal event'; readonly target: string; readonly times: number }
  | { readonly kind: 'slow disk'; readonly target: string; readonly stallMs: number }
  | { readonly kind: 'clock step'; readonly target: string; readonly byMs: number }
  | { readonly kind: 'providers'; readonly how: 'hang' | 'slow' | 'fail' | 'lose answers' }
  | { readonly kind: 'move'; readonly target: string; readonly placement: string }
  | { readonly kind: 'hang-ups'; readonly count: number }
  | { readonly kind: 'full disk' | 'broker away' }
);
export type ActKind = Act['kind'];

/** A fault on all calls to a module, in the words of `PUT /ops/faults`. */
export type EdgeFaultChoice =
  | { readonly latencyMs: number; readonly jitterMs: number }
  | { readonly lose: 'call' | 'answer' }
  | { readonly double: true }
  | { readonly error: 'unavailable' }
  | { readonly inside: 'block' | 'crash' };

export const home = 'home';
const minute = 60_000;
const longestCalmMs = 20_000;

/**
 * Draws the acts of a run, ordered by time. A pure function: the same seed, duration, targets and abilities give the same plan. The
 * first second and the last sixth (20 s at most) have no faults, so that the run also shows the load before and after them.
 */
export function draw(seed: number, durationMs: number, targets: Targets, abilities: Abilities): Act[] {
  const random = new Random(seed);
  const calmFromMs = durationMs - Math.min(durationMs / 6, longestCalmMs);
  const kinds = possible(abilities);
  const acts: Act[] = [];
  let deck: ActKind[] = [];
  for (let atMs = 1_000; atMs < calmFromMs; atMs += Math.round(random.between(700, 4_000))) {
    // Deals the whole deck before the next shuffle, so that a short run contains most kinds.
    if (deck.length === 0) deck = random.shuffle(kinds);
    const act = drawAct(deck.pop()!, Math.round(atMs), random, targets);
    acts.push({ ...act, forMs: Math.round(Math.min(act.forMs, calmFromMs - atMs)) });
  }
  return acts;
}

function possible({ fullDisk, broker }: Abilities): ActKind[] {
  return [
    // The most common incidents of a real system come most often.
    ...(['kill', 'kill', 'kill', 'freeze', 'freeze', 'edge', 'edge', 'edge', 'move', 'move', 'hang-ups'] as const),
    ...(['handlers', 'fatal event', 'slow disk', 'clock step', 'providers', 'lost file', 'older copy'] as const),
    ...(fullDisk ? (['full disk'] as const) : []),
    ...(broker ? (['broker away'] as const) : []),
  ];
}

function drawAct(kind: ActKind, atMs: number, random: Random, { modules, subscribers }: Targets): Act {
  const target = random.chance(0.15) ? home : random.pick(modules);
  const module = random.pick(modules);
  const forMs = (low: number, high: number) => ({ atMs, forMs: random.between(low, high) });
  switch (kind) {
    case 'kill':
      return { ...forMs(0, 0), kind, target };
    case 'freeze':
      return { ...forMs(300, target === home ? 4_000 : 12_000), kind, target };
    case 'lost file':
    case 'older copy':
      return { ...forMs(2_000, 5_000), kind, target: module };
    case 'edge':
      return { ...forMs(1_000, 6_000), kind, target: module, ...drawEdge(random) };
    case 'handlers':
      return { ...forMs(1_000, 8_000), kind, target: random.pick(subscribers), how: random.pick(['hang', 'slow']) };
    case 'fatal event':
      return { ...forMs(4_000, 8_000), kind, target: random.pick(subscribers), times: random.whole(1, 3) };
    case 'slow disk':
      return { ...forMs(1_000, 5_000), kind, target: module, stallMs: random.whole(20, 400) };
    case 'clock step':
      return {
        ...forMs(1_000, 6_000),
        kind,
        target,
        byMs: random.pick([-120 * minute, -minute / 2, minute / 2, 120 * minute]),
      };
    case 'providers':
      return { ...forMs(1_000, 8_000), kind, how: random.pick(['hang', 'slow', 'fail', 'lose answers']) };
    case 'move':
      return { ...forMs(0, 0), kind, target: module, placement: random.pick(placements) };
    case 'hang-ups':
      return { ...forMs(0, 0), kind, count: random.whole(20, 80) };
    case 'full disk':
    case 'broker away':
      return { ...forMs(500, 4_000), kind };
  }
}

const placements = ['in-process', 'in-process', 'http', 'http?instances=2', 'grpc'];

function drawEdge(random: Random): { fault: EdgeFaultChoice; share: number } {
  const latencyMs = random.whole(50, 2_000);
  const fault = random.pick<EdgeFaultChoice>([
    { latencyMs, jitterMs: random.whole(0, 500) },
    { lose: 'call' },
    { lose: 'answer' },
    { double: true },
    { error: 'unavailable' },
    { inside: 'block' },
    { inside: 'crash' },
  ]);
  const rare = 'inside' in fault ? 0.1 : 1;
  return { fault, share: Math.round(random.between(0.05, 0.6) * rare * 1_000) / 1_000 };
}
