import { open as openGrpc } from './grpc.mjs';
import { open as openHono } from './hono.mjs';
import { open as openMoleculer } from './moleculer.mjs';
import { open as openNest } from './nest.mjs';
import { open as openTrpc } from './trpc.mjs';

/** Opens every peer. A call of a peer does the work of work.mjs; its `close` releases its ports. */
export async function openPeers() {
  const opened = await Promise.all([openHono, openGrpc, openMoleculer, openNest, openTrpc].map((open) => open()));
  return opened.flat();
}
