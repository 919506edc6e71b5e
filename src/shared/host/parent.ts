import type { OpenModule } from '../module/index.ts';
import { type Directory, toService } from '../topology/index.ts';

/**
 * The service's end of the line to the process that started it: learns where the other modules are, and stops when it is
 * told to or when that process is gone.
 */
export function joinParent(directory: Directory, names: readonly string[], open: ReadonlyMap<string, OpenModule>) {
  if (!process.send) return { ready: (_address: string) => {} };
  const services = new Set<string>();
  process.on('message', (received) => {
    const message = toService.safeParse(received);
    if (!message.success) return;
    if (message.data.type === 'stop') return void process.emit('SIGTERM');
    if (message.data.type === 'drain') {
      for (const each of open.values()) each.drain();
      return;
    }
    for (const name of names.filter((each) => !open.has(each))) {
      const address = message.data.addresses[name];
      const at = directory.of(name);
      if (address) {
        services.add(name);
        if (at.state !== 'there' || at.address !== address) directory.there(name, address);
      } else if (services.has(name)) directory.away(name);
    }
  });
  const end = () => void process.emit('SIGTERM');
  process.on('disconnect', end);
  return {
    ready(address: string) {
      // It may have gone while this one was starting, which nobody was told.
      process.send?.({ type: 'ready', address }, undefined, undefined, (error) => error && end());
    },
  };
}
