import { type AddressInfo, createServer, type Socket } from 'node:net';
import { Server, ServerCredentials } from '@grpc/grpc-js';
import { ReflectionService } from '@grpc/reflection';
import { HealthImplementation } from 'grpc-health-check';
import { kernel, maximumBodyBytes, ofKernel } from '../../kernel/calls/index.ts';
import { background } from '../../kernel/context/index.ts';
import type { Contract } from '../../kernel/contract/index.ts';
import { StartError } from '../../kernel/errors/index.ts';
import { surviveAcceptErrors, UnsentAnswers } from '../../kernel/http-listener/index.ts';
import type { CallListener, CallListenerDependencies } from '../../kernel/ports/index.ts';
import { type TlsMaterial, UnauthenticatedCallers } from '../../kernel/ports/index.ts';
import { protoOf } from './proto/proto.ts';
import { packageDefinitionOf } from './proto/reflection.ts';
import { reflectionGuard } from './reflection-guard.ts';
import { type GrpcOperation, handlerOf, type ServingDependencies } from './served-call.ts';
import { UnsentCalls } from './unsent-calls.ts';

const closeWithinMs = 1_000;

const options = {
  'grpc.max_receive_message_length': maximumBodyBytes,
  // The server closes a connection when its peer has disappeared.
  'grpc.keepalive_time_ms': 30_000,
  'grpc.keepalive_timeout_ms': 10_000,
  // Maximum concurrent calls of one connection. Further calls wait at the caller.
  'grpc.max_concurrent_streams': 4_096,
  // Maximum memory of one connection in megabytes: answers, metadata, all data that waits for its peer. Beyond it, no new streams.
  'grpc-node.max_session_memory': 64,
  'grpc.enable_channelz': 0,
};

/**
 * Creates the gRPC listener. Until `close`, a mark on answers tells callers that this process is leaving. HTTP/2's GOAWAY is no
 * alternative: after it, grpc-js ends the calls in flight at its next keepalive ping (grpc/grpc-node#3068).
 */
export function createGrpcServer(parts: CallListenerDependencies): CallListener {
  const interceptors = parts.guardReflection ? [reflectionGuard(parts)] : [];
  const server = new Server({ ...options, interceptors });
  let leaving = false;
  const unsent = new UnsentCalls(new UnsentAnswers({ stalledMs: parts.slowReaderMs }));
  const strangers = new UnauthenticatedCallers(parts.log);
  const health = addServices(server, parts.modules, { ...parts, strangers, unsent, leaving: () => leaving });
  const sockets = new Set<Socket>();
  const connections = server.createConnectionInjector(credentialsOf(parts.tls));
  const listener = createServer({ noDelay: true }, (socket) => {
    sockets.add(socket);
    unsent.add(socket);
    socket.once('close', () => sockets.delete(socket));
    connections.injectConnection(socket);
  });
  surviveAcceptErrors(listener, parts.log);
  return {
    async listen(host, port, setting = 'GRPC_PORT') {
      await new Promise<void>((resolve, reject) => {
        listener.once('error', (cause) => {
          reject(new StartError(`gRPC cannot use ${host}:${port} (${cause.message}); change ${setting}`, { cause }));
        });
        listener.listen(port, host, resolve);
      });
      return (listener.address() as AddressInfo).port;
    },
    leave() {
      leaving = true;
      health('NOT_SERVING');
    },
    async close() {
      const last = background.setTimeout(() => {
        for (const socket of sockets) socket.destroy();
      }, closeWithinMs);
      const closed = new Promise((resolve) => listener.close(resolve));
      server.tryShutdown(() => {});
      await closed;
      clearTimeout(last);
    },
  };
}

/** Adds all services. Returns a function that sets their health status. */
function addServices(server: Server, modules: readonly Contract[], parts: ServingDependencies) {
  const add = (served: GrpcOperation) =>
    server.register(served.rpc.path, handlerOf(served, parts), asItIs, asItIs, 'unary');
  for (const contract of modules) {
    for (const [operation, rpc] of protoOf(contract).operations) add({ module: contract.name, operation, rpc });
  }
  for (const [name, rpc] of protoOf(kernel).operations) {
    add({ operation: ofKernel(name as keyof typeof kernel.operations, kernel.name).name, rpc });
  }
  const contracts = [...modules, kernel];
  new ReflectionService(Object.assign({}, ...contracts.map(packageDefinitionOf))).addToServer(server);
  const health = new HealthImplementation();
  health.addToServer(server);
  const services = ['', ...contracts.map((contract) => protoOf(contract).service)];
  const say = (status: 'SERVING' | 'NOT_SERVING') => {
    for (const service of services) health.setStatus(service, status);
  };
  say('SERVING');
  return say;
}

/** Passes bytes through. The handler encodes and decodes them, so that it can refuse invalid bytes itself. */
const asItIs = (bytes: Buffer): Buffer => bytes;

function credentialsOf({ cert, key, ca, mutual }: TlsMaterial = {}): ServerCredentials {
  if (!cert || !key) return ServerCredentials.createInsecure();
  return ServerCredentials.createSsl(ca ?? null, [{ cert_chain: cert, private_key: key }], mutual);
}
