import type { z } from 'zod';
import type { mail } from '../../contract.ts';

export type Mail = z.output<typeof mail.operations.send.input>;

/** A server that delivers mail to its recipients. */
export interface MailServer {
  /**
   * Resolves when the server has accepted the mail. Every repeat carries the same Message-ID. Rejects with the `bounced`
   * refusal when the server will never accept it. Any other error means that a later attempt may succeed.
   */
  deliver(mail: Mail): Promise<void>;
  close(): void;
}
