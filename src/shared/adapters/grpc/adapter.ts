import { LazyLink } from '../../kernel/calls/index.ts';
import type { Adapter } from '../../kernel/ports/index.ts';

/** Carries calls over gRPC, with reflection and health, for programs in any language. */
export const grpc = (): Adapter => ({
  name: 'grpc',
  wire: {
    protocols: ['grpc:', 'grpcs:'],
    connect: (way) => new LazyLink(async () => new (await import('./client.ts')).GrpcTransport(way)),
  },
  openCallListener: async (dependencies) => (await import('./server.ts')).createGrpcServer(dependencies),
  describe: async (contract) => (await import('./proto/proto.ts')).protoText(contract),
});
