/** A place where the sources differ from the architecture. */
export interface Violation {
  readonly rule: string;
  readonly from: string;
  readonly line?: number;
  readonly to?: string | undefined;
  /** What is wrong, and what to do. */
  readonly why: string;
  /** The line that would allow it. */
  readonly add?: string | undefined;
}
