import {
  type Metadata,
  ServerInterceptingCall,
  type ServerInterceptingCallInterface,
  type ServerInterceptor,
} from '@grpc/grpc-js';
import type { Contract } from '../../kernel/contract/index.ts';
import { refusal } from '../../kernel/errors/index.ts';
import { bearer, type CallerTokens } from '../../kernel/ports/index.ts';
import { names, readerOf } from './protocol.ts';
import { toStatus } from './status.ts';

export interface ReflectionGuardDependencies {
  readonly tokens: CallerTokens;
  readonly modules: readonly Contract[];
}

/** Refuses reflection, which reveals all operations, to callers without a service token for one of the served modules. */
export function reflectionGuard({ tokens, modules }: ReflectionGuardDependencies): ServerInterceptor {
  const audiences = modules.map(({ name }) => name);
  const known = async (metadata: Metadata) => {
    const token = bearer(readerOf(metadata)(names.token));
    return Promise.any(audiences.map((audience) => tokens.verify(token, audience)));
  };
  return ({ path }, call) =>
    path.startsWith('/grpc.reflection.') ? guarded(call, known) : new ServerInterceptingCall(call);
}

function guarded(call: ServerInterceptingCallInterface, known: (metadata: Metadata) => Promise<unknown>) {
  return new ServerInterceptingCall(call, {
    start(next) {
      next({
        onReceiveMetadata(metadata, pass) {
          known(metadata).then(
            () => pass(metadata),
            () => call.sendStatus(toStatus(refusal('unauthenticated', 'reflection needs a service token here'))),
          );
        },
      });
    },
  });
}
