import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { StartError } from '../errors/index.ts';

/** Binds, or says which setting to change. */
export function listen(server: Server, host: string, port: number, setting: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const reasons: Record<string, string> = {
        EADDRINUSE: 'is taken by another program',
        EACCES: 'may not be used without more rights',
        EADDRNOTAVAIL: 'is not an address of this machine',
        ENOTFOUND: 'is not an address of this machine',
      };
      const why = reasons[error.code ?? ''] ?? error.message;
      reject(
        new StartError(`${host}:${port} ${why}; stop what uses it, or set ${setting} to another`, { cause: error }),
      );
    });
    server.listen(port, host, resolve);
  });
}

export function addressOf(server: Server): string {
  const { address, port, family } = server.address() as AddressInfo;
  const any = address === '0.0.0.0' || address === '::';
  return `http://${any ? '127.0.0.1' : family === 'IPv6' ? `[${address}]` : address}:${port}`;
}

/** Takes no new connections, closes each open one after its request, and cuts what is left after 8 s. */
export function shut(server: Server): Promise<void> {
  return new Promise((resolve) => {
    const last = setTimeout(() => server.closeAllConnections(), 8_000);
    const sweep = setInterval(() => server.closeIdleConnections(), 20);
    server.prependListener('request', (_, response) => {
      response.shouldKeepAlive = false;
    });
    server.close(() => {
      clearTimeout(last);
      clearInterval(sweep);
      resolve();
    });
    server.closeIdleConnections();
  });
}
