import type { LiveAddresses } from '../../../kernel/calls/index.ts';
import { safeParse } from '../../../kernel/contract/index.ts';
import { messageOf } from '../../../kernel/errors/index.ts';
import type { OpenModule } from '../../../kernel/module/index.ts';
import type { CallFaults } from '../../faults/index.ts';
import { type FromModuleProcess, toModuleProcess } from './messages.ts';

interface ParentDependencies {
  readonly homeAddress: string;
  readonly faults: CallFaults;
  readonly open: ReadonlyMap<string, OpenModule>;
  /** The modules that are found through the home process, unless it says where they are. */
  readonly throughHome: ReadonlyMap<string, LiveAddresses>;
  /** Does what the home process asks. */
  readonly answer: (what: string, given: unknown) => Promise<unknown>;
}

/** The service's end of the line to the process that started it: learns where the other modules are, and does what it is asked. */
export function joinParent({ homeAddress, faults, open, throughHome, answer }: ParentDependencies) {
  if (!process.send) return { ready: (_said: Omit<FromModuleProcess & { type: 'ready' }, 'type'>) => {} };
  // It may have gone meanwhile, which is another's business.
  const tell = (said: FromModuleProcess) => void process.send?.(said, undefined, undefined, () => {});
  process.on('message', (received) => {
    const { data: message } = safeParse(toModuleProcess, received);
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
  return { ready: (said: Omit<FromModuleProcess & { type: 'ready' }, 'type'>) => tell({ type: 'ready', ...said }) };
}
