import type { Log } from '../observability/index.ts';
import { type Directory, ServiceProcess, type Topology } from '../topology/index.ts';
import type { Peers } from '../transport/index.ts';

const readyWithinMs = 20_000;
/** Starts that ended before one was ready, after which the others go on without it. */
const hopelessAfter = 4;
const stopWithinMs = 3_000;

/** The services the home process started: each a module in a process of its own. */
export class Services {
  readonly all = new Map<string, ServiceProcess>();

  constructor(
    private readonly topology: Topology,
    private readonly directory: Directory,
    private readonly peers: Peers,
    private readonly log: Log,
  ) {}

  /** Starts them side by side; resolves when all are ready, or with those that are after 20 s. */
  async start(homeAddress: string): Promise<void> {
    if (this.topology.only) return;
    const modules = [...this.topology.placements].flatMap(([name, placement]) =>
      placement.kind === 'service' ? [name] : [],
    );
    await Promise.all(modules.map((module) => this.#start(module, homeAddress)));
  }

  /** The system is about to stop: nobody is to wait any longer than for the step under way. */
  drain(): void {
    for (const service of this.all.values()) service.send({ type: 'drain' });
  }

  async stop(): Promise<void> {
    await Promise.all([...this.all.values()].map((service) => service.stop(stopWithinMs)));
  }

  #start(module: string, homeAddress: string): Promise<void> {
    return new Promise((resolve) => {
      const late = setTimeout(() => {
        this.log.error({ module }, 'a module is not ready yet; going on without it');
        resolve();
      }, readyWithinMs);
      const settled = () => {
        clearTimeout(late);
        resolve();
      };
      let address: string | undefined;
      const service = new ServiceProcess(
        module,
        { ...process.env, INTERNAL_PORT: '0', INTERNAL_HOST: '127.0.0.1', HOME_ADDRESS: homeAddress },
        {
          onReady: (where) => {
            if (service.ends > 0) this.log.warn({ module, address: where }, 'the process of a module is ready again');
            address = where;
            this.directory.there(module, where);
            this.#tellAll();
            settled();
          },
          onGone: () => {
            this.directory.away(module);
            if (address) void this.peers.forget(address);
            this.#tellAll();
            // One that cannot start at all keeps nobody waiting; it is tried again meanwhile.
            if (service.ends >= hopelessAfter) settled();
          },
        },
        this.log,
      );
      this.all.set(module, service);
      service.start();
    });
  }

  /** Every service is told where the others are, so that it calls them straight. */
  #tellAll(): void {
    const addresses = this.directory.addresses();
    for (const service of this.all.values()) service.send({ type: 'addresses', addresses });
  }
}
