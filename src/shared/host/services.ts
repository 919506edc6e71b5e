import type { EdgeFaults } from '../faults/index.ts';
import type { Log } from '../observability/index.ts';
import { type Directory, LiveAddresses, ServiceProcess, type Topology } from '../topology/index.ts';

const readyWithinMs = 20_000;
/** Starts that ended before one was ready, after which the others go on without it. */
const hopelessAfter = 4;
const stopWithinMs = 3_000;

interface Service {
  readonly processes: ServiceProcess[];
  /** Where its module is called now: one address for each process that is ready. */
  readonly reachedAt: LiveAddresses;
}

/** The services the home process started: each a module in processes of its own. */
export class Services {
  readonly #services = new Map<string, Service>();

  constructor(
    private readonly topology: Topology,
    private readonly directory: Directory,
    private readonly faults: EdgeFaults,
    private readonly log: Log,
  ) {}

  /** The processes that run a module. */
  of(module: string): readonly ServiceProcess[] {
    return this.#services.get(module)?.processes ?? [];
  }

  /** Starts them side by side; resolves when all are ready, or with those that are after 20 s. */
  async start(homeAddress: string): Promise<void> {
    if (this.topology.only) return;
    const started = [...this.topology.placements].flatMap(([module, placement]) => {
      if (placement.kind !== 'service') return [];
      const service = { processes: [], reachedAt: new LiveAddresses() };
      this.#services.set(module, service);
      this.directory.there(module, service.reachedAt);
      return Array.from({ length: placement.instances }, () => this.#start(module, service, homeAddress));
    });
    await Promise.all(started);
  }

  /** The system is about to stop: nobody is to wait any longer than for the step under way. */
  drain(): void {
    for (const process of this.#processes()) {
      process.expectEnd();
      process.send({ type: 'drain' });
    }
  }

  async stop(): Promise<void> {
    await Promise.all(this.#processes().map((process) => process.stop(stopWithinMs)));
  }

  /** Every service has the faults that are on here. */
  tellFaults(): void {
    const faults = [...this.faults.list()];
    for (const process of this.#processes()) process.send({ type: 'faults', faults });
  }

  #processes(): ServiceProcess[] {
    return [...this.#services.values()].flatMap(({ processes }) => processes);
  }

  #start(module: string, { processes, reachedAt }: Service, homeAddress: string): Promise<void> {
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
      const env = {
        ...process.env,
        INTERNAL_PORT: '0',
        GRPC_PORT: '0',
        INTERNAL_HOST: '127.0.0.1',
        HOME_ADDRESS: homeAddress,
      };
      const service = new ServiceProcess(
        module,
        env,
        {
          onReady: (where) => {
            if (service.ends > 0) this.log.warn({ module, address: where }, 'the process of a module is ready again');
            address = where;
            reachedAt.set([...reachedAt.addresses, where]);
            this.#tellAddresses();
            this.tellFaults();
            settled();
          },
          onGone: () => {
            reachedAt.set(without(reachedAt.addresses, address));
            address = undefined;
            this.#tellAddresses();
            // One that cannot start at all keeps nobody waiting; it is tried again meanwhile.
            if (service.ends >= hopelessAfter) settled();
          },
        },
        this.log,
      );
      processes.push(service);
      service.start();
    });
  }

  /** Every service is told where the others are, so that it calls them straight. */
  #tellAddresses(): void {
    const known = [...this.#services].map(([module, { reachedAt }]) => [module, [...reachedAt.addresses]]);
    const addresses = Object.fromEntries(known);
    for (const process of this.#processes()) process.send({ type: 'addresses', addresses });
  }
}

/** All but one of them: instances behind a broker have the same address. */
function without(addresses: readonly string[], one: string | undefined): string[] {
  const at = one === undefined ? -1 : addresses.indexOf(one);
  return addresses.filter((_, index) => index !== at);
}
