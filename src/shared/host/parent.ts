import type { EdgeFaults } from '../faults/index.ts';
import type { OpenModule } from '../module/index.ts';
import { type Directory, LiveAddresses, toService } from '../topology/index.ts';

interface Parts {
  readonly directory: Directory;
  readonly faults: EdgeFaults;
  readonly names: readonly string[];
  readonly open: ReadonlyMap<string, OpenModule>;
}

/** How soon a process that is signalled at the same time has said so. */
const togetherWithinMs = 500;

/**
 * Calls `stop` when this process is signalled; as a service, also when it is told to by the process that started it, or when that
 * is gone. A service that is signalled together with that one, as by Ctrl-C, goes on until it is told: it is needed to the end.
 */
export function whenToStop(stop: () => void): void {
  const isService = process.send !== undefined;
  let willBeTold = false;
  const signalled = () => (isService ? void setTimeout(() => willBeTold || stop(), togetherWithinMs) : stop());
  process.on('SIGTERM', signalled);
  process.on('SIGINT', signalled);
  if (!isService) return;
  process.on('message', (received) => {
    const { data } = toService.safeParse(received);
    if (data?.type === 'drain') willBeTold = true;
    if (data?.type === 'stop') stop();
  });
  process.on('disconnect', stop);
  if (!process.connected) stop();
}

/** The service's end of the line to the process that started it: learns where the other modules are and which faults are on. */
export function joinParent({ directory, faults, names, open }: Parts) {
  if (!process.send) return { ready: (_address: string, _reachedAt: string) => {} };
  const services = new Map<string, LiveAddresses>();
  const learn = (addresses: Record<string, string[]>) => {
    for (const name of names) {
      const there = addresses[name];
      if (!there || open.has(name)) continue;
      const known = services.get(name) ?? new LiveAddresses();
      known.set(there);
      if (services.has(name)) continue;
      services.set(name, known);
      directory.there(name, known);
    }
  };
  process.on('message', (received) => {
    const message = toService.safeParse(received);
    if (!message.success) return;
    switch (message.data.type) {
      case 'drain':
        for (const each of open.values()) each.drain();
        return;
      case 'faults':
        return faults.set(message.data.faults);
      case 'addresses':
        return learn(message.data.addresses);
    }
  });
  return {
    ready(address: string, reachedAt: string) {
      // It may have gone meanwhile, which is another's business.
      process.send?.({ type: 'ready', address, reachedAt }, undefined, undefined, () => {});
    },
  };
}
