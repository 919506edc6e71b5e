import type { Timeline } from './chart.ts';
import type { Sent } from './load.ts';

export interface Move {
  readonly module: string;
  readonly from: string;
  readonly to: string;
  readonly ms: number;
  readonly gapMs: number;
  readonly callsDrained: number;
  readonly events: { readonly pendingBefore: number; readonly pendingAfter: number };
  readonly sagas: { readonly underWay: number; readonly handedOver: number; readonly found: number };
  readonly at: number;
}

/** The observations from `quiet.from`, before the first relocation, to `endedAt`. */
export interface Seen {
  readonly sent: readonly Sent[];
  readonly moves: readonly Move[];
  readonly quiet: { readonly from: number; readonly to: number };
  /** The time windows of the relocations, by module. */
  readonly windows: readonly { readonly module: string; readonly from: number; readonly to: number }[];
  readonly endedAt: number;
}

const heads = [
  ...['', 'moves', 'orders', 'failed', 'p50', 'added p99', 'added worst'],
  ...['longest gap', 'calls drained', 'events in transit', 'sagas handed over'],
];

/** Returns the normal time of an order, in milliseconds: the median before the relocations. */
export function medianMs({ sent, quiet }: Seen): number {
  return at(0.5, timesOf(within(sent, quiet)));
}

/** Returns a table with a line for the quiet time, and one for each module: the time that its relocations added, and their counts. */
export function table(seen: Seen): string {
  const usual = medianMs(seen);
  const rows = [
    heads,
    ['quiet', '0', ...orders(within(seen.sent, seen.quiet), usual), '', '', '', ''],
    ...seen.windows.map((window) => {
      const own = seen.moves.filter(({ module }) => module === window.module);
      return [window.module, String(own.length), ...orders(within(seen.sent, window), usual), ...did(own)];
    }),
  ];
  const widths = heads.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  return rows.map((row) => row.map((cell, column) => cell.padStart(widths[column]!)).join('  ')).join('\n');
}

/** Compares the time that all relocations added with the aim. Also reports the precision of this program. */
export function aims(seen: Seen): string {
  const { sent, moves, quiet, endedAt } = seen;
  const usual = medianMs(seen);
  const added = timesOf(within(sent, { from: quiet.to, to: endedAt })).map((ms) => ms - usual);
  const late = within(sent, { from: quiet.from, to: endedAt }).map(({ lagMs }) => lagMs);
  const gap = Math.max(...moves.map(({ gapMs }) => gapMs));
  return [
    `all moves: added p99 ${inMs(at(0.99, added))} (aim: under 50), worst ${inMs(most(added))} (aim: under 250); gap up to ${inMs(gap)} (aim: 100)`,
    `this program itself was late in sending by ${inMs(at(0.99, late))} (p99), ${inMs(most(late))} at worst`,
  ].join('\n');
}

export function failures({ sent, quiet }: Seen): string[] {
  return sent.flatMap(({ due, failure }) =>
    failure === undefined
      ? []
      : [`failed ${((due - quiet.from) / 1_000).toFixed(1)} s after the quiet time began: ${failure}`],
  );
}

export function timelineOf({ sent, moves, quiet: { from }, endedAt }: Seen): Timeline {
  return {
    orders: sent
      .filter(({ due }) => due >= from)
      .map(({ due, ms, failure }) => ({ at: due - from, ms, failed: failure !== undefined })),
    moves: moves.map((each) => ({
      at: each.at - from,
      ms: each.ms,
      label: `${each.module}: ${each.from} → ${each.to}, ${each.ms} ms`,
    })),
    endsAt: endedAt + 1_000 - from,
  };
}

export const inMs = (number: number) => `${number.toFixed(1)} ms`;

function orders(sent: readonly Sent[], usual: number): string[] {
  const times = timesOf(sent);
  const failed = sent.filter(({ failure }) => failure !== undefined).length;
  const added = [at(0.99, times), most(times)].map((ms) => inMs(ms - usual));
  return [String(sent.length), String(failed), inMs(at(0.5, times)), ...added];
}

function did(moves: readonly Move[]): string[] {
  const total = (of: (move: Move) => number) => String(moves.reduce((sum, each) => sum + of(each), 0));
  return [
    inMs(Math.max(...moves.map(({ gapMs }) => gapMs))),
    total(({ callsDrained }) => callsDrained),
    total(({ events }) => events.pendingBefore),
    total(({ sagas }) => sagas.handedOver),
  ];
}

function within(sent: readonly Sent[], { from, to }: { from: number; to: number }): Sent[] {
  return sent.filter(({ due }) => due >= from && due < to);
}

function timesOf(sent: readonly Sent[]): number[] {
  return sent.map(({ ms }) => ms);
}

function at(part: number, numbers: readonly number[]): number {
  const sorted = numbers.toSorted((one, other) => one - other);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? 0;
}

/** Returns the highest value. `Math.max` takes too few arguments for all orders of a run. */
function most(values: readonly number[]): number {
  return values.reduce((highest, each) => Math.max(highest, each), Number.NEGATIVE_INFINITY);
}
