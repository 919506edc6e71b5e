import type { Context } from '@opentelemetry/api';

/** A public request that has ended. */
export interface EndedRequest {
  readonly method: string;
  /** The path of its resource, such as `/products/{sku}`. Absent when no resource served it. */
  readonly route: string | undefined;
  /** Absent when the client disconnected before the end of the answer. */
  readonly status: number | undefined;
  readonly ms: number;
  readonly trace: Context | undefined;
}
