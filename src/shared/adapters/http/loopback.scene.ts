import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { fixedKeyRing, ServiceTokens } from '../../control/identity/index.ts';
import type { Link, Serve } from '../../kernel/calls/index.ts';
import type { InternalListener, TlsMaterial } from '../../kernel/ports/index.ts';
import { silentLog } from '../../kernel/telemetry/index.ts';
import { HttpTransport } from './client.ts';
import { createInternalServer } from './server.ts';

/** Both ends of the HTTP transport in one process, for tests and benchmarks. */
export interface Loopback extends InternalListener {
  readonly address: string;
  readonly tokens: ServiceTokens;
  /** Returns a link to a module. `close` also closes the link. */
  link(module: string, tls?: TlsMaterial, onLeaving?: () => void): Link;
  close(): Promise<void>;
}

export async function openLoopback(serve: Serve, tls?: TlsMaterial): Promise<Loopback> {
  const tokens = new ServiceTokens(fixedKeyRing('LOOPBACK', 'a secret of more than 32 characters'));
  const operate = async () => {};
  const internal = createInternalServer({ serve, operate, tokens, log: silentLog, tls });
  await once(internal.server.listen(0, '127.0.0.1'), 'listening');
  const { port } = internal.server.address() as AddressInfo;
  const address = `${tls?.cert ? 'https' : 'http'}://127.0.0.1:${port}`;
  const links: Link[] = [];
  return {
    ...internal,
    address,
    tokens,
    link(module, shown = tls, onLeaving) {
      const link = new HttpTransport({ address, module, tokens, tls: shown, onLeaving });
      links.push(link);
      return link;
    },
    async close() {
      await Promise.all(links.map((link) => link.close()));
      internal.server.closeAllConnections();
      await new Promise((resolve) => internal.server.close(resolve));
    },
  };
}
