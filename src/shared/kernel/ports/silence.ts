/** The limits that detect a dead connection while an answer is pending. */
export interface Silence {
  /** How long the connection may be silent before this side asks for a sign of life, in milliseconds. */
  readonly askAfterMs: number;
  /** How long the connection may be silent before the other side counts as gone, in milliseconds. */
  readonly goneAfterMs: number;
}

/** Between two processes. */
export const defaultSilence: Silence = { askAfterMs: 2_000, goneAfterMs: 6_000 };
