import { setTimeout as pause } from 'node:timers/promises';
import type { ProcessFault } from '../../src/shared/control/admin-contract/index.ts';
import type { Counts, Met } from './load.ts';
import type { Placements, System } from './system.ts';

/** An expectation for the results of the clients, with its description. */
type Expectation = readonly [what: string, holds: (met: Met) => boolean];

/** A period with one state of the system. */
export interface Phase {
  readonly name: string;
  readonly about: string;
  /** Breaks or repairs a part. Resolves with a function that ends the fault, if it does not end by itself. */
  begin(system: System): Promise<void | (() => Promise<void>)>;
  readonly holds: readonly Expectation[];
}

/** The placements of modules, and the phases of the run. */
export interface Layout {
  readonly name: string;
  readonly placements: Placements;
  /** Whether the system may die. Then the end of the run has no expectations. */
  readonly mayDie?: boolean;
  readonly phases: readonly Phase[];
}

export interface Drill {
  readonly about: string;
  readonly layouts: readonly Layout[];
}

const isSound = ({ failed }: Counts) => failed === 0;
const goesOn: readonly Expectation[] = [
  ['posts were written', ({ posts }) => isSound(posts) && posts.ok > 0],
  ['members signed up', ({ signUps }) => isSound(signUps) && signUps.ok > 0],
  ['no order failed', ({ orders }) => isSound(orders)],
];
const confirms: readonly Expectation[] = [...goesOn, ['orders were confirmed', ({ orders }) => orders.ok > 0]];

const down: readonly Expectation[] = [
  ['hardly anybody was served', ({ orders, posts, signUps }) => served(orders) + served(posts) + served(signUps) < 0.5],
];
/** Maximum time of a good answer, in milliseconds. A healthy system answers in 20 ms. */
const soonMs = 400;
const served = ({ ok, failed, waiting, p50Ms }: Counts) => (ok > failed + waiting && p50Ms < soonMs ? 1 : 0);

/** Returns a drill for a fault in payments: in-process it affects the whole process, after extraction only payments. */
function isolation(about: string, inside: ProcessFault): Drill {
  const sick = (holds: readonly Expectation[]): Phase => ({
    name: 'sick',
    about: `${about} at every call`,
    begin: (system) => system.inject({ caller: '*', operation: 'payments.*', inside, forMs: 600_000 }),
    holds,
  });
  const well = { name: 'well', about: 'nothing is wrong', begin: async () => {}, holds: confirms };
  return {
    about: `payments ${about}: inside the home process, and as a service of its own`,
    layouts: [
      { name: 'inside', placements: {}, mayDie: true, phases: [well, sick(down)] },
      {
        name: 'out',
        placements: { MODULE_PAYMENTS: 'http' },
        phases: [
          well,
          sick(goesOn),
          {
            name: 'back',
            about: 'the fault is over',
            async begin(system) {
              await system.inject();
              await system.ready('payments');
            },
            holds: confirms,
          },
        ],
      },
    ],
  };
}

/** The drills by name. */
export const drills: Readonly<Record<string, Drill>> = {
  'payments-down': {
    about: 'payments as a service of its own: well, killed and kept down, slow, and back',
    layouts: [
      {
        name: 'out',
        placements: { MODULE_PAYMENTS: 'http' },
        phases: [
          { name: 'well', about: 'payments runs as a service', begin: async () => {}, holds: confirms },
          {
            name: 'dead',
            about: 'payments is killed (SIGKILL), and again whenever it is started',
            begin: (system) => keepDead(system, 'payments'),
            holds: goesOn,
          },
          {
            name: 'slow',
            about: 'payments is up again, and every call to it takes 1.5 s longer',
            async begin(system) {
              await system.ready('payments');
              await system.inject({ caller: '*', operation: 'payments.*', latencyMs: 1_500, forMs: 600_000 });
              return () => system.inject();
            },
            holds: goesOn,
          },
          { name: 'back', about: 'payments is as it was', begin: async () => {}, holds: confirms },
        ],
      },
    ],
  },
  leak: isolation('keeps 64 MiB', 'leak'),
  block: isolation('holds the event loop for 100 ms', 'block'),
  crash: isolation('ends its process', 'crash'),
};

/** Kills every new process of a module. Resolves with a function that ends the kills. */
async function keepDead(system: System, module: string): Promise<() => Promise<void>> {
  let dead = true;
  const killing = (async () => {
    while (dead) {
      for (const pid of await system.pidsOf(module)) system.kill(pid);
      await pause(50);
    }
  })();
  return async () => {
    dead = false;
    await killing;
  };
}
