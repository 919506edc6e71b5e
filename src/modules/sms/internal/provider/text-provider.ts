export interface OutgoingText {
  readonly messageId: string;
  readonly to: string;
  readonly text: string;
}

/** A provider that brings text messages to phones. */
export interface TextProvider {
  /**
   * Resolves when the provider has taken the message. The key is the same each time one is repeated. Rejects with the
   * `undeliverable` refusal when it will never be taken, with anything else when it may be later.
   */
  deliver(message: OutgoingText): Promise<void>;
}
