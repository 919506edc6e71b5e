export interface OutgoingMail {
  readonly messageId: string;
  readonly to: string;
  readonly subject: string;
  readonly text: string;
}

/** A server that delivers mail to its recipients. */
export interface MailServer {
  /**
   * Resolves when the server has accepted the mail. Every repeat carries the same Message-ID. Rejects with the `bounced`
   * refusal when the server will never accept it. Any other error means that a later attempt may succeed.
   */
  deliver(mail: OutgoingMail): Promise<void>;
  close(): void;
}
