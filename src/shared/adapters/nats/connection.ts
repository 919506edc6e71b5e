import type { ConnectionOptions, NatsConnection } from '@nats-io/transport-node';

/** Returns the server of a URL, its credentials and, for `tls:`, the TLS options. A user without a password is a token. */
export function serverOf(url: URL, tls: ConnectionOptions['tls'] = {}): ConnectionOptions {
  const [user, pass] = [url.username, url.password].map(decodeURIComponent);
  return {
    servers: url.host,
    ...(pass ? { user, pass } : user && { token: user }),
    ...(url.protocol === 'tls:' && { tls }),
    reconnect: false,
    noAsyncTraces: true,
  };
}

/** Resolves when the server has all that was sent. Rejects when the connection ends first: the client itself would wait forever. */
export function flushed(connection: NatsConnection): Promise<void> {
  const closed = connection.closed().then(() => Promise.reject(new Error('the connection was closed')));
  return Promise.race([connection.flush(), closed]);
}
