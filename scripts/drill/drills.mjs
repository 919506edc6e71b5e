const isSound = ({ failed }) => failed === 0;
const goesOn = [
  ['posts were written', ({ posts }) => isSound(posts) && posts.ok > 0],
  ['members signed up', ({ signUps }) => isSound(signUps) && signUps.ok > 0],
  ['no order failed', ({ orders }) => isSound(orders)],
];
const confirms = [...goesOn, ['orders were confirmed', ({ orders }) => orders.ok > 0]];

/** Each: what is placed where, and phases that begin, last, and end; `holds` is what must be true of what was seen. */
export const drills = {
  'payments-down': {
    about: 'payments as a service of its own: well, killed and kept down, slow, and back',
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
          await system.put('/ops/faults', {
            faults: [{ caller: '*', operation: 'payments.*', latencyMs: 1_500, forMs: 600_000 }],
          });
          return () => system.put('/ops/faults', { faults: [] });
        },
        holds: goesOn,
      },
      { name: 'back', about: 'payments is as it was', begin: async () => {}, holds: confirms },
    ],
  },
};

/** Returns the way to let it live. */
async function keepDead(system, module) {
  let dead = true;
  const killing = (async () => {
    while (dead) {
      for (const pid of await system.pidsOf(module)) system.kill(pid);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  })();
  return async () => {
    dead = false;
    await killing;
  };
}
