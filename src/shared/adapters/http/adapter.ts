import type { Adapter } from '../../kernel/ports/index.ts';
import { HttpTransport } from './client.ts';
import { createInternalServer } from './server.ts';

/** Carries calls, pushed events and admin requests over HTTP. Every system needs at least this adapter. */
export const http = (): Adapter => ({
  name: 'http',
  wire: { protocols: ['http:', 'https:'], connect: (way) => new HttpTransport(way) },
  openInternalListener: createInternalServer,
});
