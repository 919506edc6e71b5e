export interface OutgoingText {
  readonly messageId: string;
  readonly to: string;
  readonly text: string;
}

/** A provider that delivers text messages to phones. */
export interface TextProvider {
  /**
   * Resolves when the provider has accepted the message. Every repeat carries the same key. Rejects with the `undeliverable`
   * refusal when the provider will never accept it. Any other error means that a later attempt may succeed.
   */
  deliver(message: OutgoingText): Promise<void>;
}
