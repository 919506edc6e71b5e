/** How a connection that is dead and does not know it is noticed, while an answer is owed. */
export interface Silence {
  /** How long nothing may come in before this side asks, in milliseconds. */
  readonly askAfterMs: number;
  /** How long before the other side counts as gone, in milliseconds. */
  readonly goneAfterMs: number;
}

/** Between two processes. */
export const defaultSilence: Silence = { askAfterMs: 2_000, goneAfterMs: 6_000 };
