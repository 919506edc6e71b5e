import type { Socket } from 'node:net';
import type { Connection } from 'rabbitmq-client';
import { background } from '../../kernel/context/index.ts';

/**
 * The client library writes each message to the socket by itself, which costs more than all else. What it writes from a call of
 * the function on, until the event loop has come round, leaves in one piece.
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
