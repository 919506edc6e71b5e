/** A payment provider. Every request carries the payment's id, so that one that is repeated happens once. */
export interface PaymentProvider {
  /**
   * Sets the amount aside. Rejects when there was no clear answer, or nobody waits for it any more (`signal`); the same request
   * is then made again.
   */
  authorize(
    request: { id: string; amount: number; currency: string; token: string },
    signal: AbortSignal,
  ): Promise<'authorized' | 'declined'>;
  capture(id: string): Promise<void>;
  /** Also for a payment the provider has not seen, or not yet: one that is void is never authorized after. */
  void(id: string): Promise<void>;
  refund(id: string): Promise<void>;
}

/** How long the provider may take for one answer, in milliseconds. */
export const providerTimeoutMs = 4_000;
