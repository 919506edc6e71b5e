export interface OutgoingMail {
  readonly messageId: string;
  readonly to: string;
  readonly subject: string;
  readonly text: string;
}

/** A server that takes mail to where it belongs. */
export interface MailServer {
  /**
   * Resolves when the server has taken the mail. The Message-ID is the same each time one is repeated. Rejects with the
   * `bounced` refusal when it will never be taken, with anything else when it may be later.
   */
  deliver(mail: OutgoingMail): Promise<void>;
  close(): void;
}
