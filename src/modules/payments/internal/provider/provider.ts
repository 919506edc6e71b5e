/** A payment provider. Every request carries the payment's id, so that a repeated request takes effect once. */
export interface PaymentProvider {
  /**
   * Sets the amount aside. Rejects without a clear answer, or when the caller cancels (`signal`). The caller then
   * repeats the same request.
   */
  authorize(
    request: { id: string; amount: number; currency: string; token: string },
    signal: AbortSignal,
  ): Promise<'authorized' | 'declined'>;
  capture(id: string): Promise<void>;
  /** Voids a payment, also one that the provider does not know (yet). The provider never authorizes it afterwards. */
  void(id: string): Promise<void>;
  refund(id: string): Promise<void>;
}

/** Time limit for one answer of the provider, in milliseconds. */
export const providerTimeoutMs = 4_000;
