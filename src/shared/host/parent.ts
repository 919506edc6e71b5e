import type { EdgeFaults } from '../faults/index.ts';
import type { OpenModule } from '../module/index.ts';
import { type Directory, LiveAddresses, toService } from '../topology/index.ts';

interface Parts {
  readonly directory: Directory;
  readonly faults: EdgeFaults;
  readonly names: readonly string[];
  readonly open: ReadonlyMap<string, OpenModule>;
}

/**
 * The service's end of the line to the process that started it: learns where the other modules are and which faults are on, and
 * stops when it is told to or when that process is gone.
 */
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
  const end = () => void process.emit('SIGTERM');
  process.on('message', (received) => {
    const message = toService.safeParse(received);
    if (!message.success) return;
    switch (message.data.type) {
      case 'stop':
        return end();
      case 'drain':
        for (const each of open.values()) each.drain();
        return;
      case 'faults':
        return faults.set(message.data.faults);
      case 'addresses':
        return learn(message.data.addresses);
    }
  });
  process.on('disconnect', end);
  return {
    ready(address: string, reachedAt: string) {
      // It may have gone while this one was starting, which nobody was told.
      process.send?.({ type: 'ready', address, reachedAt }, undefined, undefined, (error) => error && end());
    },
  };
}
