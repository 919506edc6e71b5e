import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Server as TlsServer } from 'node:tls';
import { StartError, whyTooManyFiles } from '../../kernel/errors/index.ts';

/** Binds the server. Throws a `StartError` with the reason on failure. `where` is the setting of the port, such as `PORT`. */
export function listen(server: Server, host: string, port: number, where: string): Promise<void> {
  const address = where.replace('PORT', 'HOST');
  const reasons: Record<string, string> = {
    EADDRINUSE: `is taken; stop what listens there, or set ${where} to a free port`,
    EACCES: `may not be used without more rights; set ${where} to a port above 1023`,
    EADDRNOTAVAIL: `is not an address of this machine; set ${address} to one that is`,
    ENOTFOUND: `is not an address of this machine; set ${address} to one that is`,
  };
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const known = reasons[error.code ?? ''] ?? whyTooManyFiles(error);
      const why = known ?? `cannot be used (${error.message}); change ${where}`;
      reject(new StartError(`${host}:${port} ${why}`, { cause: error }));
    });
    server.listen(port, host, resolve);
  });
}

export function addressOf(server: Server): string {
  const { address, port } = server.address() as AddressInfo;
  return `${server instanceof TlsServer ? 'https' : 'http'}://${shownHost(address)}:${port}`;
}

/** Formats a host for a URL. Returns the loopback address for a wildcard host. */
export function shownHost(host: string): string {
  if (host === '0.0.0.0' || host === '::') return '127.0.0.1';
  return host.includes(':') ? `[${host}]` : host;
}
