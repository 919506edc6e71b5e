import { once } from 'node:events';
import { promisify } from 'node:util';

/** Listens on a free loopback port. Resolves with the port. */
export async function listen(server) {
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return server.address().port;
}

/** Closes an HTTP server. Resolves when it has released its port and all connections. */
export async function close(server) {
  const closed = promisify(server.close.bind(server))();
  server.closeAllConnections();
  await closed;
}
