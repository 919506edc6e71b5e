import type { Socket } from 'node:net';
import type { Connection } from 'rabbitmq-client';
import { background } from '../../kernel/context/index.ts';

/**
 * Returns a function that batches writes: all messages from its call to the end of the event loop turn leave together. The client
 * library itself writes each message separately, which costs more than all other work.
 */
export function leavingTogether(connection: Connection): () => void {
  const { _socket: socket } = connection as unknown as { _socket?: Socket };
  let held = false;
  return () => {
    if (held || !socket) return;
    held = true;
    socket.cork();
    background.setImmediate(() => {
      held = false;
      socket.uncork();
    });
  };
}
