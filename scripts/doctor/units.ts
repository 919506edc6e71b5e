// How findings write sizes and times.
const units = ['bytes', 'KiB', 'MiB', 'GiB', 'TiB'];

/** Formats a size: `1.5 GiB`. */
export function bytes(count: number): string {
  const power = count < 1 ? 0 : Math.min(units.length - 1, Math.floor(Math.log2(count) / 10));
  const value = count / 1024 ** power;
  return `${value < 10 && power > 0 ? value.toFixed(1) : Math.round(value)} ${units[power]}`;
}

const secondMs = 1_000;
export const dayMs = 24 * 60 * 60 * secondMs;
const spans: readonly (readonly [ms: number, unit: string])[] = [
  [dayMs, 'days'],
  [60 * 60 * secondMs, 'h'],
  [60 * secondMs, 'min'],
  [secondMs, 's'],
];

/** Formats a duration in its largest unit, rounded down: `3 days`. */
export function span(ms: number): string {
  for (const [unitMs, unit] of spans)
    if (ms >= 2 * unitMs || (unit === 's' && ms >= unitMs)) return `${Math.floor(ms / unitMs)} ${unit}`;
  return `${Math.round(ms)} ms`;
}

/** Formats a count: `1 error`, `2 errors`. */
export function plural(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? '' : 's'}`;
}
