import { isAway, isRefusal, messageOf } from '../errors/index.ts';
import type { DeliveryState, Incident } from './tables.ts';

const attemptLimit = 12;
const incidentsKept = 40;

/** The attempts that a row records. */
interface Attempted {
  readonly attempts: number;
  readonly history: readonly Incident[] | null;
}

/**
 * Returns the new values of a row after an attempt: `failed` with a growing delay, or `dead` after twelve failures, or at once when the event is
 * invalid. An attempt that finds another part unavailable, or refusing this process, is no failure: it is repeated without limit.
 */
export function afterFailure(row: Attempted, error: unknown, now: number) {
  const lastError = messageOf(error);
  const attempts = row.attempts + 1;
  const away = isClosed(error);
  const dead = isFinal(error) || (!away && failures(row.history) + 1 >= attemptLimit);
  const state: DeliveryState = dead ? 'dead' : 'failed';
  return {
    state,
    attempts,
    nextAttemptAt: now + redeliveryDelayMs(attempts, error),
    lastError,
    settledAt: dead ? now : null,
    history: withIncident(row.history, { at: now, what: dead ? 'dead' : away ? 'waited' : 'failed', why: lastError }),
  };
}

/** Counts the failures since the last replay. Waiting for another part of the system is not a failure. */
function failures(history: readonly Incident[] | null): number {
  const since = history?.slice(history.findLastIndex(({ what }) => what === 'replayed') + 1) ?? [];
  return since.filter(({ what }) => what === 'failed').length;
}

/**
 * Returns the history with one more incident. Over the limit, drops the oldest incident after the first. Drops a `waited` incident
 * if there is one, because `failures` counts the failures in this history.
 */
export function withIncident(history: readonly Incident[] | null, incident: Incident): Incident[] {
  const all = [...(history ?? []), incident];
  if (all.length <= incidentsKept) return all;
  const waited = all.findIndex(({ what }, index) => index > 0 && what === 'waited');
  return all.toSpliced(Math.max(1, waited), 1);
}

/** Returns whether the other side is away or does not admit this process. The event is then not at fault. */
export function isClosed(error: unknown): boolean {
  return isAway(error) || isRefusal(error, 'unauthenticated') || isRefusal(error, 'forbidden');
}

/** Returns whether every further attempt would fail too, because the event is invalid. */
function isFinal(error: unknown): boolean {
  return isRefusal(error, 'invalid-input');
}

const longestBackOffMs = 60_000;

/** Returns whether an attempt is due. A time beyond the longest back-off comes from a wrong clock and counts as due. */
export function isDue(nextAttemptAt: number, now: number): boolean {
  return nextAttemptAt <= now || nextAttemptAt > latestAttemptAt(now);
}

/** Returns the latest time until which an attempt waits. */
export function latestAttemptAt(now: number): number {
  return now + longestBackOffMs;
}

/** Returns the delay before the next attempt, in milliseconds. */
export function redeliveryDelayMs(attempts: number, error: unknown): number {
  const limit = isClosed(error) ? 2_000 : longestBackOffMs;
  return Math.min(limit, 50 * 2 ** Math.min(attempts, 20));
}
