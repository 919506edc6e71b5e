import { background } from 'kerf/context';
import { SpanKind, traced } from 'kerf/module';
import { createTransport } from 'nodemailer';
import type { z } from 'zod';
import { mail as contract } from '../contract.ts';

export type Mail = z.output<typeof contract.operations.send.input>;
export type MailServer = ReturnType<typeof smtpServer>;

/** Commands whose rejection is final for the mail. A rejected password or sender is our mistake: after a fix, the same mail passes. */
const aboutTheMail = new Set(['RCPT TO', 'DATA']);

/**
 * Sends mail by SMTP. `url` such as `smtps://user:secret@mail.example.com`, `from` such as `Kerf <shop@example.com>`. `deliver`
 * resolves when the server has accepted the mail. Every repeat carries the same Message-ID. Rejects with the `bounced` refusal when
 * the server will never accept the mail. Any other error means that a later attempt may succeed.
 */
export function smtpServer(url: string, from: string) {
  const transport = createTransport({
    url,
    pool: true,
    connectionTimeout: 5_000,
    greetingTimeout: 5_000,
    socketTimeout: 15_000,
  } as never);
  const { hostname, port } = new URL(url);
  // Names by OpenTelemetry's conventions. The user and the password of the URL are left out.
  const server = { 'server.address': hostname, ...(port && { 'server.port': Number(port) }) };
  const span = { kind: SpanKind.CLIENT, attributes: Object.freeze({ 'network.protocol.name': 'smtp', ...server }) };
  const domain = /@([^>\s]+)/.exec(from)?.[1] ?? 'localhost';
  const send = async ({ messageId, to, subject, text }: Mail): Promise<void> => {
    try {
      // The connection outlives the caller for which it is opened.
      await background.run(() =>
        transport.sendMail({
          // An address object prevents nodemailer from reading a hostile address as a list of recipients.
          from,
          to: { name: '', address: to },
          subject,
          text,
          messageId: `<${messageId}@${domain}>`,
          disableFileAccess: true,
          disableUrlAccess: true,
        }),
      );
    } catch (error) {
      const { responseCode = 0, command = '' } = error as { responseCode?: number; command?: string };
      if (responseCode >= 500 && aboutTheMail.has(command))
        throw contract.refuse('bounced', `the server answered ${responseCode}`);
      throw error;
    }
  };
  return {
    deliver: (mail: Mail): Promise<void> => traced('SMTP send', span, () => send(mail)),
    close: () => transport.close(),
  };
}
