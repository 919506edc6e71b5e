import { isIP } from 'node:net';
import { checkServerIdentity, type PeerCertificate } from 'node:tls';
import { Channel, type ChannelOptions, connectivityState, credentials } from '@grpc/grpc-js';
import { maximumBodyBytes } from '../../kernel/calls/index.ts';
import { background } from '../../kernel/context/index.ts';
import { connectWithinMs, defaultSilence, type Silence, type TlsMaterial } from '../../kernel/ports/index.ts';

const { READY, SHUTDOWN, TRANSIENT_FAILURE } = connectivityState;

const forever = Number.POSITIVE_INFINITY;

const optionsFor = ({ askAfterMs, goneAfterMs }: Silence) => ({
  'grpc.keepalive_time_ms': askAfterMs,
  'grpc.keepalive_timeout_ms': goneAfterMs - askAfterMs,
  'grpc.initial_reconnect_backoff_ms': 100,
  'grpc.max_reconnect_backoff_ms': 1_000,
  'grpc.client_idle_timeout_ms': 2 ** 31 - 1,
  'grpc.max_receive_message_length': maximumBodyBytes,
  'grpc.use_local_subchannel_pool': 1,
  // Calls between processes ignore HTTP proxies and service configurations in DNS.
  'grpc.enable_http_proxy': 0,
  'grpc.service_config_disable_resolution': 1,
  'grpc.enable_channelz': 0,
});

export interface ConnectionDependencies {
  /** `grpc://host:port`, or `grpcs://host:port` for TLS. */
  readonly address: string;
  readonly tls?: TlsMaterial;
  readonly silence?: Silence;
  /** Called when an established connection ends: the other process announced its stop, or has stopped. */
  readonly onLost: () => void;
}

/** A connection to one process. Connects when a caller first needs it, and again after a loss. */
export class Connection {
  #channel: Channel;
  #connecting: Promise<Channel> | undefined;
  #closed = false;
  private readonly parts: ConnectionDependencies;

  constructor(parts: ConnectionDependencies) {
    this.parts = parts;
    this.#channel = this.#open();
  }

  /**
   * Returns the channel for calls. Returns it directly while it is connected; otherwise resolves when the attempt succeeds or
   * fails. After a failed attempt, a call on the channel fails at once. Rejects when there is no result within `connectWithinMs`.
   */
  channel(): Channel | Promise<Channel> {
    if (this.#closed) return Promise.reject(new Error('this process has closed the connection'));
    if (this.#channel.getConnectivityState(false) === READY) return this.#channel;
    this.#connecting ??= background
      .run(() => this.#connect(this.#channel))
      .finally(() => {
        this.#connecting = undefined;
      });
    return this.#connecting;
  }

  close(): void {
    this.#closed = true;
    this.#channel.close();
  }

  #open(): Channel {
    const { address, tls, silence = defaultSilence } = this.parts;
    const { protocol, host } = new URL(address);
    const options = optionsFor(silence);
    const channel =
      protocol === 'grpcs:'
        ? openSecure(host, options, tls)
        : new Channel(`dns:///${host}`, credentials.createInsecure(), options);
    this.#follow(channel);
    return channel;
  }

  #follow(channel: Channel): void {
    const before = channel.getConnectivityState(false);
    channel.watchConnectivityState(before, forever, () => {
      if (channel.getConnectivityState(false) === SHUTDOWN) return;
      if (before === READY) this.parts.onLost();
      this.#follow(channel);
    });
  }

  #connect(channel: Channel): Promise<Channel> {
    return new Promise((resolve, reject) => {
      const late = background
        .setTimeout(() => {
          reject(new Error(`no connection within ${connectWithinMs} ms`));
          // The attempt may take minutes, so the next call begins another one.
          channel.close();
          this.#channel = this.#open();
        }, connectWithinMs)
        .unref();
      const look = () => {
        const state = channel.getConnectivityState(true);
        if (state !== READY && state !== TRANSIENT_FAILURE && state !== SHUTDOWN) {
          channel.watchConnectivityState(state, forever, look);
          return;
        }
        clearTimeout(late);
        if (state === SHUTDOWN) reject(new Error('this process has closed the connection'));
        else resolve(channel);
      };
      look();
    });
  }
}

function openSecure(host: string, options: ChannelOptions, { ca, key, cert }: TlsMaterial = {}): Channel {
  const name = host.replace(/:\d+$/, '').replace(/^\[|\]$/g, '');
  const shown = [ca ?? null, key ?? null, cert ?? null] as const;
  if (!isIP(name)) return new Channel(`dns:///${host}`, credentials.createSsl(...shown), options);
  // TLS cannot request a server by its IP address. The client requests a reserved name, then checks the certificate for the address.
  const check = (_name: string, certificate: PeerCertificate) => checkServerIdentity(name, certificate);
  const secured = credentials.createSsl(...shown, { checkServerIdentity: check });
  return new Channel(`dns:///${host}`, secured, { ...options, 'grpc.ssl_target_name_override': 'address.invalid' });
}
