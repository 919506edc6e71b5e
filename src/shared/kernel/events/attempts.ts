import { isAway, isRefusal, messageOf } from '../errors/index.ts';
import type { DeliveryState, Incident } from './tables.ts';

const attemptLimit = 12;
const incidentsKept = 40;

/** What a row tells of the attempts that were made on it. */
interface Attempted {
  readonly attempts: number;
  readonly history: readonly Incident[] | null;
}

/** What a failure makes of a row: to be tried again later and later, or dead after twelve times or when nothing will mend it. */
export function afterFailure(row: Attempted, error: unknown, now: number) {
  const lastError = messageOf(error);
  const attempts = row.attempts + 1;
  const away = isClosed(error);
  const dead = isFinal(error) || (!away && failures(row.history) + 1 >= attemptLimit);
  const state: DeliveryState = dead ? 'dead' : 'failed';
  return {
    state,
    attempts,
    nextAttemptAt: now + backOffMs(attempts, error),
    lastError,
    settledAt: dead ? now : null,
    history: withIncident(row.history, { at: now, what: dead ? 'dead' : away ? 'waited' : 'failed', why: lastError }),
  };
}

/** Since it was replayed; waiting for another part of the system is no failure. */
function failures(history: readonly Incident[] | null): number {
  const since = history?.slice(history.findLastIndex(({ what }) => what === 'replayed') + 1) ?? [];
  return since.filter(({ what }) => what === 'failed').length;
}

/**
 * The history with one thing more. Beyond the limit, the oldest after the first is dropped: a time of waiting where there is one, since
 * the failures are counted here.
 */
export function withIncident(history: readonly Incident[] | null, incident: Incident): Incident[] {
  const all = [...(history ?? []), incident];
  if (all.length <= incidentsKept) return all;
  const waited = all.findIndex(({ what }, index) => index > 0 && what === 'waited');
  return all.toSpliced(Math.max(1, waited), 1);
}

/** Nothing to blame the event for: the other side is away, or does not admit this process. */
export function isClosed(error: unknown): boolean {
  return isAway(error) || isRefusal(error, 'unauthenticated') || isRefusal(error, 'forbidden');
}

/** No attempt will ever be better: the event does not fit. */
function isFinal(error: unknown): boolean {
  return isRefusal(error, 'invalid-input');
}

const longestBackOffMs = 60_000;

/** Whether an attempt is due. A time further away than any back-off was written by a clock that was wrong. */
export function isDue(nextAttemptAt: number, now: number): boolean {
  return nextAttemptAt <= now || nextAttemptAt > latestAttemptAt(now);
}

/** No attempt waits for longer than until then. */
export function latestAttemptAt(now: number): number {
  return now + longestBackOffMs;
}

export function backOffMs(attempts: number, error: unknown): number {
  const limit = isClosed(error) ? 2_000 : longestBackOffMs;
  return Math.min(limit, 50 * 2 ** Math.min(attempts, 20));
}
