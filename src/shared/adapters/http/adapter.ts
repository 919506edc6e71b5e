import type { Adapter } from '../../kernel/ports/index.ts';
import { HttpTransport } from './client.ts';
import { createInternalServer } from './server.ts';

/** Calls, pushed events and operators by HTTP: the least that a system needs. */
export const http = (): Adapter => ({
  name: 'http',
  wire: { protocols: ['http:', 'https:'], connect: (way) => new HttpTransport(way) },
  openInternalListener: createInternalServer,
});
