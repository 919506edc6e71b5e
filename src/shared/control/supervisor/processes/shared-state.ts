/** State of a part of control that the home process sends to its module processes. It must survive JSON. */
export interface SharedState {
  /** Returns the current state. */
  current(): unknown;
  /** Takes over the state of the home process. Throws when it is invalid. */
  set(state: unknown): void;
}

/** The shared states of a process, by the name of their part. */
export type SharedStates = ReadonlyMap<string, SharedState>;
