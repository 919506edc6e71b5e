import { type AsyncMessage, type Channel, Connection } from 'rabbitmq-client';
import { steadyClock } from '../../kernel/context/index.ts';
import {
  type BrokerSession,
  type BrokerWay,
  connectWithinMs,
  type Inbound,
  inASecond,
  maximumMessageBytes,
  namespaceOf,
  type OpenSession,
  type Outbound,
  type Replies,
  type RequestSubscription,
  type Requests,
  readJson,
  type Silence,
} from '../../kernel/ports/index.ts';
import { leavingTogether } from './calls-together.ts';
import { Pulse } from './pulse.ts';

/** Maximum requests in flight of one instance. Further requests wait until an instance has capacity. */
const maxInFlight = 256;
const frameBytes = 128 * 1024;
/** The broker removes a queue without consumers after this time, for example a queue that survived a restart of the broker. */
const unusedMs = 10_000;
/** Every broker has this exchange, so Kerf leaves no exchange behind. */
const exchange = 'amq.direct';
const json = 'application/json';
/** Prefix of direct reply-to addresses. Kerf never answers to them: RabbitMQ ends the connection when such an address is invented. */
const never = 'amq.rabbitmq.reply-to';
/** Id of the message that a session sends to itself, to check that the broker still accepts and delivers messages. */
const pulse = 'pulse';

/** Opens a session over RabbitMQ. The broker writes no message to disk. It removes a module's queue with its last consumer. */
export const openAmqp: OpenSession = async (way, replies) => {
  const session = new AmqpSession(way, replies);
  try {
    await session.opened;
    return session;
  } catch (error) {
    await session.close();
    throw error;
  }
};

class AmqpSession implements BrokerSession {
  readonly largest = { bytes: maximumMessageBytes, cure: '' };
  readonly keepsRequests = true;
  readonly opened: Promise<void>;
  readonly ended: Promise<unknown>;
  readonly #connection: Connection;
  readonly #namespace: string;
  readonly #together: () => void;
  #blocked = false;
  #pulse: Pulse | undefined;
  #calls: Channel | undefined;
  /** The queue of this session to which answers go. */
  #replyTo = '';
  #end!: (why: unknown) => void;

  constructor({ url, tls, silence }: BrokerWay, replies: Replies) {
    const { cert, key, ca } = tls;
    this.#namespace = namespaceOf(url);
    this.#connection = new Connection({
      url: url.href,
      connectionName: `${this.#namespace} calls`,
      // Nagle's algorithm would hold back whatever is sent while an answer is awaited.
      noDelay: true,
      heartbeat: Math.ceil(silence.askAfterMs / 1_000),
      frameMax: frameBytes,
      connectionTimeout: connectWithinMs,
      ...(url.protocol === 'amqps:' && { tls: { cert, key, ca } }),
    });
    this.ended = new Promise((resolve) => {
      this.#end = (why) => {
        resolve(why);
        this.#pulse?.stop();
        // Otherwise the client library would reconnect, without the declared queues.
        this.#connection.unsafeDestroy();
      };
    });
    this.#connection.on('error', this.#end);
    this.#connection.on('connection.blocked', () => (this.#blocked = true));
    this.#connection.on('connection.unblocked', () => (this.#blocked = false));
    this.#together = leavingTogether(this.#connection);
    this.opened = Promise.race([this.#open(silence, replies), this.ended.then((why) => Promise.reject(why))]);
  }

  send({ to, module, id, token, body, lifeMs }: Outbound): void {
    if (!this.#calls?.active || this.#blocked) throw new Error('RabbitMQ takes nothing at the moment');
    this.#together();
    const message = {
      exchange: to === 'one' ? undefined : exchange,
      routingKey: this.#nameOf(module),
      mandatory: true,
      replyTo: this.#replyTo,
      correlationId: id,
      expiration: String(lifeMs),
      contentType: json,
      headers: { authorization: `Bearer ${token}` },
    };
    this.#calls.basicPublish(message, body).catch(this.#end);
  }

  async subscribe(module: string, requests: Requests): Promise<RequestSubscription> {
    let tries = 3;
    for (;;) {
      const channel = await this.#connection.acquire({ emitErrorsFromChannel: true });
      try {
        return await this.#take(channel, module, requests);
      } catch (error) {
        // The last to leave may have removed the queue between two steps; the broker then ends the channel.
        if (--tries === 0) throw error;
      }
    }
  }

  async close(why: unknown = new Error('the connection was closed')): Promise<void> {
    this.#calls?.prependOnceListener('close', () => this.#end(why));
    await inASecond(this.#calls?.close() ?? Promise.resolve());
    this.#end(why);
  }

  #nameOf(module: string): string {
    return `${this.#namespace}.calls.${module}`;
  }

  async #open(silence: Silence, replies: Replies): Promise<void> {
    const channel = await this.#connection.acquire({ emitErrorsFromChannel: true });
    channel.on('basic.return', ({ correlationId = '' }) => replies.nobody(correlationId));
    this.#replyTo = (await channel.queueDeclare({ exclusive: true, autoDelete: true })).queue;
    await channel.basicConsume({ queue: this.#replyTo, noAck: true }, (message) => {
      if (message.correlationId === pulse) this.#pulse?.heard();
      else replies.answered(message.correlationId ?? '', contentOf(message));
    });
    this.#endWith(channel);
    this.#calls = channel;
    const silent = () => this.#end(new Error('RabbitMQ has not answered for too long'));
    this.#pulse = new Pulse(silence, steadyClock, () => this.#ask(channel), silent);
  }

  #ask(channel: Channel): void {
    // While the broker blocks publishers, only heartbeats show that it is alive.
    if (this.#blocked) this.#pulse?.heard();
    else channel.basicPublish({ routingKey: this.#replyTo, correlationId: pulse }, '').catch(this.#end);
  }

  async #take(channel: Channel, module: string, requests: Requests): Promise<RequestSubscription> {
    const queue = this.#nameOf(module);
    channel.on('error', () => {});
    await channel.basicQos({ prefetchCount: maxInFlight });
    await channel.queueDeclare({ queue, durable: true, autoDelete: true, arguments: { 'x-expires': unusedMs } });
    const { queue: own } = await channel.queueDeclare({ exclusive: true, autoDelete: true });
    await channel.queueBind({ queue: own, exchange, routingKey: queue });
    await channel.basicConsume({ queue: own, noAck: true }, (message) => requests.all(this.#inbound(channel, message)));
    const { consumerTag } = await channel.basicConsume({ queue }, (message) => {
      requests.one(this.#inbound(channel, message, () => channel.basicAck({ deliveryTag: message.deliveryTag })));
    });
    const forget = this.#endWith(channel);
    return {
      async leave() {
        await channel.basicCancel(consumerTag);
        // The client library delivers earlier messages in the turn after the broker's confirmation.
        await new Promise((resolve) => setImmediate(resolve));
      },
      async close() {
        forget();
        await inASecond(channel.close());
      },
    };
  }

  #inbound(channel: Channel, message: AsyncMessage, acknowledge = () => {}): Inbound {
    const { correlationId = '', replyTo, redelivered, headers } = message;
    return {
      id: correlationId,
      authorization: typeof headers?.authorization === 'string' ? headers.authorization : undefined,
      content: contentOf(message),
      hadByOther: redelivered,
      answer: (body) => {
        if (!channel.active) return;
        this.#together();
        const answer = { routingKey: replyTo, correlationId, contentType: json };
        if (replyTo && !replyTo.startsWith(never)) channel.basicPublish(answer, body).catch(() => {});
        acknowledge();
      },
    };
  }

  /** Ends the session when the channel ends. Returns a function that removes this link, except for errors. */
  #endWith(channel: Channel): () => void {
    const why = (error: Error) => this.#end(error);
    const closed = () => this.#end(new Error('the channel was closed'));
    const cancelled = () => this.#end(new Error('the queue was removed'));
    channel.on('error', why).on('close', closed).on('basic.cancel', cancelled);
    return () => void channel.off('close', closed).off('basic.cancel', cancelled);
  }
}

/** Reads the content of a message. The client library has already parsed valid JSON with a JSON content type. */
function contentOf({ body }: AsyncMessage): unknown {
  return Buffer.isBuffer(body) || typeof body === 'string' ? readJson(body.toString()) : body;
}
