import { once } from 'node:events';
import { promisify } from 'node:util';

/** Listens on a free loopback port and answers which. */
export async function listen(server) {
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return server.address().port;
}

/** Resolves when an HTTP server has let go of its port and of every connection. */
export async function close(server) {
  const closed = promisify(server.close.bind(server))();
  server.closeAllConnections();
  await closed;
}
