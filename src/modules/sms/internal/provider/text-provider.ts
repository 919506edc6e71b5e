import type { z } from 'zod';
import type { sms } from '../../contract.ts';

export type TextMessage = z.output<typeof sms.operations.send.input>;

/** A provider that delivers text messages to phones. */
export interface TextProvider {
  /**
   * Resolves when the provider has accepted the message. Every repeat carries the same key. Rejects with the `undeliverable`
   * refusal when the provider will never accept it. Any other error means that a later attempt may succeed.
   */
  deliver(message: TextMessage): Promise<void>;
}
