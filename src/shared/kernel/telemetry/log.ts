/** Writes a line: its fields, if any, and its message. */
interface WriteLine {
  (fields: object, message?: string): void;
  (message: string): void;
}

/** A log, as the kernel and the adapters write to it. A line must never contain passwords, tokens or bodies. */
export interface Log {
  readonly debug: WriteLine;
  readonly info: WriteLine;
  readonly warn: WriteLine;
  readonly error: WriteLine;
}

const nothing = () => {};

export const silentLog: Log = { debug: nothing, info: nothing, warn: nothing, error: nothing };
