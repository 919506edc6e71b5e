import type { CallRequest, Link } from '../../kernel/calls/index.ts';
import type { Adapter } from '../../kernel/ports/index.ts';

/** Carries calls over gRPC, with reflection and health, for programs in any language. */
export const grpc = (): Adapter => ({
  name: 'grpc',
  wire: {
    protocols: ['grpc:', 'grpcs:'],
    connect: (way) => new LazyLink(async () => new (await import('./client.ts')).GrpcTransport(way)),
    listener: {
      setting: 'GRPC_PORT',
      about: 'the gRPC listener of a module that is placed by gRPC; 0 takes a free one',
      open: async (dependencies) => (await import('./server.ts')).createGrpcServer(dependencies),
    },
  },
  describe: async (contract) => (await import('./proto/proto.ts')).protoText(contract),
});

/** A link whose transport is loaded with the first call. */
class LazyLink implements Link {
  #link: Link | undefined;
  #loading: Promise<Link> | undefined;
  private readonly load: () => Promise<Link>;

  constructor(load: () => Promise<Link>) {
    this.load = load;
  }

  call(request: CallRequest): Promise<unknown> {
    if (this.#link) return this.#link.call(request);
    this.#loading ??= this.load().then((link) => {
      this.#link = link;
      return link;
    });
    return this.#loading.then((link) => link.call(request));
  }

  async close(): Promise<void> {
    await (await this.#loading)?.close();
  }
}
