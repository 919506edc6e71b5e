import { type ConnectionOptions, connect, createInbox, headers, Match, type Msg } from '@nats-io/transport-node';
import {
  type BrokerWay,
  connectWithinMs,
  type Inbound,
  inASecond,
  maximumMessageBytes,
  namespaceOf,
  type OpenSession,
  type Outbound,
  readJson,
} from '../../kernel/ports/index.ts';
import { flushed, serverOf } from './connection.ts';

const group = 'kerf';
const nobodyThere = 503;
/** Bytes that headers and subjects add to a message. */
const headBytes = 4 * 1024;

/** Opens a session over core NATS, from server 2.2 on. The server stores nothing, and needs no receiver to be present. */
export const openNats: OpenSession = async (way, replies) => {
  const { url } = way;
  const connection = await connect(optionsOf(way));
  const { max_payload: limit } = connection.info!;
  const subject = (to: Outbound['to'], module: string) => `_KERF.${to}.${namespaceOf(url)}.${module}`;
  const inbox = createInbox();
  let reason: unknown;
  const close = async (why: unknown) => {
    reason ??= why;
    await connection.close();
  };
  const allSent = () => inASecond(flushed(connection));
  connection.subscribe(`${inbox}.*`, {
    callback(error, message) {
      if (error) return void close(error);
      const id = message.subject.slice(inbox.length + 1);
      if (message.headers?.code === nobodyThere) replies.nobody(id);
      else replies.answered(id, readJson(message.string()));
    },
  });
  return {
    largest: {
      bytes: Math.min(maximumMessageBytes, limit - headBytes),
      cure: `the NATS server's max_payload is ${limit} bytes: set it to ${maximumMessageBytes + headBytes} or more`,
    },
    keepsRequests: false,
    send({ to, module, id, token, body }) {
      const sent = headers();
      sent.set('authorization', `Bearer ${token}`);
      connection.publish(subject(to, module), body, { reply: `${inbox}.${id}`, headers: sent });
    },
    async subscribe(module, requests) {
      const take = (hand: (message: Inbound) => void) => (error: Error | null, message: Msg) => {
        if (error) void close(error);
        else hand(inbound(message));
      };
      const all = connection.subscribe(subject('all', module), { callback: take(requests.all) });
      const one = connection.subscribe(subject('one', module), { queue: group, callback: take(requests.one) });
      await flushed(connection);
      return {
        leave: () => one.drain(),
        async close() {
          for (const subscription of [one, all]) subscription.unsubscribe();
          await allSent();
        },
      };
    },
    async close(why) {
      await allSent();
      await close(why);
    },
    ended: connection.closed().then((error) => reason ?? error ?? new Error('the connection was closed')),
  };
};

function inbound(message: Msg): Inbound {
  const { reply } = message;
  return {
    id: reply?.slice(reply.lastIndexOf('.') + 1) ?? '',
    authorization: message.headers?.get('authorization', Match.IgnoreCase),
    content: readJson(message.string()),
    hadByOther: false,
    answer(body) {
      try {
        message.respond(body);
      } catch {
        // The connection is lost, or the reply address is invalid. The answer cannot reach the caller.
      }
    },
  };
}

function optionsOf({ url, tls: { cert, key, ca }, silence }: BrokerWay): ConnectionOptions {
  return {
    ...serverOf(url, { cert: cert?.toString(), key: key?.toString(), ca: ca?.toString() }),
    name: 'kerf calls',
    timeout: connectWithinMs,
    pingInterval: silence.askAfterMs,
    // The client also waits for the last unanswered ping, so this subtracts one.
    maxPingOut: Math.max(1, Math.round(silence.goneAfterMs / silence.askAfterMs) - 1),
  };
}
