import { safeParse } from '../../../kernel/contract/index.ts';
import { messageOf } from '../../../kernel/errors/index.ts';
import type { OpenModule } from '../../../kernel/module/index.ts';
import type { Log } from '../../../kernel/telemetry/index.ts';
import type { LiveAddresses } from '../../routing/index.ts';
import { type FromModuleProcess, toModuleProcess } from './messages.ts';
import type { SharedStates } from './shared-state.ts';

interface ParentDependencies {
  readonly homeAddress: string;
  readonly shared: SharedStates;
  readonly log: Log;
  readonly open: ReadonlyMap<string, OpenModule>;
  /** The modules that this process calls through the home process, unless that has sent their addresses. */
  readonly throughHome: ReadonlyMap<string, LiveAddresses>;
  /** Answers a request of the home process. */
  readonly answer: (what: string, given: unknown) => Promise<unknown>;
}

/** Connects a module process to its parent: receives the other modules' addresses, and answers the parent's requests. */
export function joinParent({ homeAddress, shared, open, throughHome, answer, log }: ParentDependencies) {
  if (!process.send) return { ready: (_said: Omit<FromModuleProcess & { type: 'ready' }, 'type'>) => {} };
  // The home process may run a later release, with a state that this one does not understand.
  const takeOver = (part: string, state: unknown) => {
    try {
      shared.get(part)?.set(state);
    } catch (error) {
      log.warn({ part, why: messageOf(error) }, 'the state of a part of control was not taken over');
    }
  };
  // The parent may be gone; another part of this process handles that.
  const tell = (said: FromModuleProcess) => void process.send?.(said, undefined, undefined, () => {});
  process.on('message', (received) => {
    const { data: message } = safeParse(toModuleProcess, received);
    switch (message?.type) {
      case 'drain':
        for (const each of open.values()) each.drain();
        return;
      case 'shared':
        return takeOver(message.part, message.state);
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
