import { background } from '../../../kernel/context/index.ts';
import { safeParse } from '../../../kernel/contract/index.ts';
import { messageOf } from '../../../kernel/errors/index.ts';
import type { OpenModule } from '../../../kernel/module/index.ts';
import type { Log } from '../../../kernel/telemetry/index.ts';
import type { LiveAddresses } from '../../routing/index.ts';
import { type FromModuleProcess, toModuleProcess } from './messages.ts';
import { type SharedStates, takeOver } from './shared-state.ts';

/** Maximum time that the parent may take to read the final states. */
const finalStatesWithinMs = 1_000;

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

/** The parent of a module process. It does nothing for a process without a parent. */
interface Parent {
  ready(said: Omit<FromModuleProcess & { type: 'ready' }, 'type'>): void;
  /** Sends the final states to the parent, unless the whole system stops. */
  sendFinalStates(states: SharedStates): Promise<void>;
}

/** Connects a module process to its parent: receives the other modules' addresses, and answers the parent's requests. */
export function joinParent({ homeAddress, shared, open, throughHome, answer, log }: ParentDependencies): Parent {
  if (!process.send) return { ready: () => {}, sendFinalStates: async () => {} };
  let systemStops = false;
  process.on('message', (received) => {
    const { data: message } = safeParse(toModuleProcess, received);
    switch (message?.type) {
      case 'stopping':
        systemStops = true;
        return;
      case 'drain':
        systemStops = true;
        for (const each of open.values()) each.drain();
        return;
      case 'shared':
        return takeOver(shared, message.part, message.state, log);
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
  return {
    ready: (said) => void tell({ type: 'ready', ...said }),
    async sendFinalStates(states) {
      if (systemStops) return;
      const late = new Promise<void>((resolve) => background.setTimeout(resolve, finalStatesWithinMs).unref());
      const sent = [...states].map(([part, each]) => tell({ type: 'left', part, state: each.current() }));
      await Promise.race([Promise.all(sent), late]);
    },
  };
}

/** Sends a message. Resolves also when the parent is gone: another part of this process handles that. */
function tell(said: FromModuleProcess): Promise<void> {
  return new Promise((resolve) => {
    if (process.connected) process.send?.(said, undefined, undefined, () => resolve());
    else resolve();
  });
}
