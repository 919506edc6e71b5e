/** The end of a request, as the client sees it. */
export type Fate =
  /** An expected answer. */
  | 'done'
  /** Accepted, but still pending (202). */
  | 'waiting'
  /** Refused for now, to be retried (429, 503, 504). */
  | 'refused'
  /** The connection was refused or broken. */
  | 'lost'
  /** The client hung up on purpose. */
  | 'hung up'
  /** No answer within the client's timeout. */
  | 'unanswered'
  /** An answer that no fault explains. */
  | 'wrong';

const fates: readonly Fate[] = ['done', 'waiting', 'refused', 'lost', 'hung up', 'unanswered', 'wrong'];
const slowMs = 1_000;

/** Results of one kind of clients in a phase. */
export type Counts = Partial<Record<Fate | 'slow', number>> & { longestMs?: number };
export type ResultsByKind = Readonly<Record<string, Counts>>;

/** Counts the clients' results by phase. A phase lasts from one act to the next. */
export class Results {
  readonly total: Record<string, Counts> = {};
  /** Answers that no fault explains, in words. */
  readonly wrong: string[] = [];
  #phase: Record<string, Counts> = {};

  add(kind: string, fate: Fate, tookMs: number, detail = ''): void {
    for (const counts of [this.total, this.#phase]) {
      const own = counts[kind] ?? {};
      counts[kind] = own;
      own[fate] = (own[fate] ?? 0) + 1;
      if (fate === 'done' && tookMs > slowMs) own.slow = (own.slow ?? 0) + 1;
      if (fate !== 'hung up') own.longestMs = Math.max(own.longestMs ?? 0, Math.round(tookMs));
    }
    if (fate === 'wrong') this.wrong.push(`${kind}: ${detail}`);
  }

  /** Returns the results since the last call. */
  takePhase(): ResultsByKind {
    const phase = this.#phase;
    this.#phase = {};
    return phase;
  }
}

/** Returns one line with the number of results for each kind of request, and the longest wait. */
export function inWords(seen: ResultsByKind): string {
  const kinds = Object.entries(seen).map(([kind, counts]) => {
    const told = [...fates, 'slow' as const].flatMap((fate) => (counts[fate] ? `${counts[fate]} ${fate}` : []));
    return `${kind} ${told.join(', ')} (≤ ${((counts.longestMs ?? 0) / 1_000).toFixed(1)} s)`;
  });
  return kinds.join(' · ') || 'no request ended';
}
