import { messageOf } from '../errors/index.ts';
import type { EdgeFaults } from '../faults/index.ts';
import type { OpenModule } from '../module/index.ts';
import { type FromService, type LiveAddresses, toService } from '../topology/index.ts';

interface Parts {
  readonly homeAddress: string;
  readonly faults: EdgeFaults;
  readonly open: ReadonlyMap<string, OpenModule>;
  /** The modules that are found through the home process, unless it says where they are. */
  readonly throughHome: ReadonlyMap<string, LiveAddresses>;
  /** Does what the home process asks. */
  readonly answer: (what: string, given: unknown) => Promise<unknown>;
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
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP']) process.on(signal, signalled);
  if (!isService) return;
  process.on('message', (received) => {
    const { data } = toService.safeParse(received);
    if (data?.type === 'drain') willBeTold = true;
    if (data?.type === 'stop') stop();
  });
  process.on('disconnect', stop);
  if (!process.connected) stop();
}

/** The service's end of the line to the process that started it: learns where the other modules are, and does what it is asked. */
export function joinParent({ homeAddress, faults, open, throughHome, answer }: Parts) {
  if (!process.send) return { ready: (_said: Omit<FromService & { type: 'ready' }, 'type'>) => {} };
  // It may have gone meanwhile, which is another's business.
  const tell = (said: FromService) => void process.send?.(said, undefined, undefined, () => {});
  process.on('message', (received) => {
    const { data: message } = toService.safeParse(received);
    switch (message?.type) {
      case 'drain':
        for (const each of open.values()) each.drain();
        return;
      case 'faults':
        return faults.set(message.faults);
      case 'addresses':
        for (const [name, known] of throughHome) known.set(message.addresses[name] ?? [homeAddress]);
        return;
      case 'ask': {
        const { id } = message;
        void answer(message.what, message.given).then(
          (result) => tell({ type: 'answer', id, result }),
          (error: unknown) => tell({ type: 'answer', id, failure: messageOf(error) }),
        );
      }
    }
  });
  return { ready: (said: Omit<FromService & { type: 'ready' }, 'type'>) => tell({ type: 'ready', ...said }) };
}
