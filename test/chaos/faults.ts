import { once } from 'node:events';
import { rmSync, statfsSync, writeFileSync } from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import type { Customers } from './customers.ts';
import type { Act, EdgeFaultChoice } from './plan.ts';
import type { ProcessFaults } from './process-faults.ts';
import type { Providers } from './providers.ts';
import type { ChaosSystem } from './system.ts';

/** The targets of acts. */
export interface Surroundings {
  readonly system: ChaosSystem;
  readonly customers: Customers;
  readonly providers: Providers;
  readonly broker?: BrokerLink;
  readonly seed: number;
}

const dataIsLost = 'the data of a module is lost already; nothing is done';

type End = () => void | Promise<void>;
/** The result of an act in words, and the function that ends it. */
export interface Done {
  readonly did: string;
  readonly end?: End;
  /** A later result in words. The run does not wait for it before the next act. */
  readonly later?: Promise<string>;
}

/** Carries out the acts of a plan. An impossible act (no process to kill, no answer) is reported, and is not a failure. */
export class Faults {
  readonly #edges = new Map<Act, object>();
  readonly #processFaults = new Map<Act, [target: string, processFaults: ProcessFaults]>();
  #hangUps = 0;
  #isDataLost = false;
  private readonly around: Surroundings;

  constructor(around: Surroundings) {
    this.around = around;
  }

  async begin(act: Act): Promise<Done> {
    const { system, providers, customers, broker, seed } = this.around;
    switch (act.kind) {
      case 'kill': {
        const pids = (await system.pidsOf(act.target)).filter((pid) => system.signal(pid, 'SIGKILL'));
        return { did: `kill -9 ${act.target} (${inWords(pids)})` };
      }
      case 'freeze': {
        const pids = (await system.pidsOf(act.target)).filter((pid) => system.signal(pid, 'SIGSTOP'));
        const end = () => pids.forEach((pid) => void system.signal(pid, 'SIGCONT'));
        return { did: `freeze ${act.target} (${inWords(pids)}) for ${seconds(act.forMs)}`, end };
      }
      case 'lost file': {
        if (this.#isDataLost) return { did: dataIsLost };
        const end = await this.#whileDown(act.target, () => system.loseFile(act.target));
        return { did: `kill -9 home, and its start finds no data of ${act.target} for ${seconds(act.forMs)}`, end };
      }
      case 'older copy': {
        const what = `kill -9 home, and its start finds an older copy of the data of ${act.target}`;
        if (this.#isDataLost) return { did: dataIsLost };
        if (!system.hasOlderCopy(act.target))
          return { did: `${act.target} has the same data as its copy; nothing is done` };
        const end = await this.#whileDown(act.target, () => system.putOlderCopy(act.target));
        return { did: `${what} for ${seconds(act.forMs)}`, end };
      }
      case 'edge': {
        const fault = { caller: '*', operation: `${act.target}.*`, share: act.share, forMs: 600_000, ...act.fault };
        const did = `${Math.round(act.share * 1_000) / 10} % of the calls to ${act.target}: ${edgeInWords(act.fault)}`;
        return { did: `${did}, for ${seconds(act.forMs)}`, end: await this.#onEdge(act, fault) };
      }
      case 'handlers':
        return this.#ill(
          act,
          act.target,
          { handlers: act.how },
          `event handlers of ${act.target} ${act.how === 'hang' ? 'never return' : 'take 0.5 to 3 s'}`,
        );
      case 'fatal event': {
        const fatal = { id: `fatal-${act.atMs}`, times: act.times };
        return this.#ill(act, act.target, { fatal }, `the next ${act.times} events kill ${act.target}`);
      }
      case 'slow disk':
        return this.#ill(
          act,
          act.target,
          { stallMs: act.stallMs },
          `commits of ${act.target} stall for ${act.stallMs} ms`,
        );
      case 'clock step':
        return this.#ill(
          act,
          act.target,
          { clockByMs: act.byMs },
          `the clock of ${act.target} steps by ${act.byMs / 1_000} s`,
        );
      case 'providers': {
        providers.mood = act.how;
        const end = () => {
          providers.mood = 'well';
        };
        return { did: `payment and text providers ${act.how} for ${seconds(act.forMs)}`, end };
      }
      case 'move': {
        const order = { placement: act.placement, again: true, forNow: true, by: 'chaos' };
        const asked = system.operate('PUT', `/modules/${act.target}`, order);
        const later = asked.then(({ status, body }) =>
          status === 200 ? `${act.target} runs ${act.placement}` : `${act.target} was not moved: ${why(body)}`,
        );
        return { did: `move ${act.target} to ${act.placement}`, later };
      }
      case 'hang-ups': {
        const later = customers.hangUp(act.count, seed + ++this.#hangUps).then(() => '');
        return { did: `${act.count} clients hang up while they sign up or browse`, later };
      }
      case 'full disk': {
        const end = fill(system.dataDir);
        return { did: `the disk is full for ${seconds(act.forMs)}`, end };
      }
      case 'broker away': {
        const end = await broker!.cut();
        return { did: `the broker is away for ${seconds(act.forMs)}`, end };
      }
    }
  }

  /** Takes a module's data away and kills the home process. It must not start again until the data is back. */
  async #whileDown(module: string, takeAway: () => () => void): Promise<End> {
    const { system } = this.around;
    this.#isDataLost = true;
    const putBack = takeAway();
    const [killed] = await system.pidsOf('home');
    if (killed) system.signal(killed, 'SIGKILL');
    return async () => {
      const [home] = await system.pidsOf('home');
      // Without a killed process, a home process was just starting. It may have opened the file before the loss.
      if (killed && home && home !== killed)
        system.wrong.push(`the system started although the data of ${module} was lost`);
      putBack();
      this.#isDataLost = false;
    };
  }

  /** Ends all faults that still last. */
  async endAll(): Promise<void> {
    this.#edges.clear();
    this.#processFaults.clear();
    this.around.providers.mood = 'well';
    this.around.system.suffer({});
    await this.#tellEdges();
  }

  #ill(act: Act, target: string, processFaults: ProcessFaults, what: string): Done {
    this.#processFaults.set(act, [target, processFaults]);
    this.#writeFaults();
    const end = () => {
      this.#processFaults.delete(act);
      this.#writeFaults();
    };
    return { did: `${what}, for ${seconds(act.forMs)}`, end };
  }

  #writeFaults(): void {
    const all: Record<string, ProcessFaults> = {};
    for (const [target, processFaults] of this.#processFaults.values())
      all[target] = { ...all[target], ...processFaults };
    this.around.system.suffer(all);
  }

  async #onEdge(act: Act, fault: object): Promise<End> {
    this.#edges.set(act, fault);
    await this.#tellEdges();
    return () => {
      this.#edges.delete(act);
      return this.#tellEdges();
    };
  }

  async #tellEdges(): Promise<void> {
    await this.around.system.operate('PUT', '/faults', { faults: [...this.#edges.values()] });
  }
}

/** A proxy in front of a broker. `cut` closes all connections and refuses new ones. */
export class BrokerLink {
  readonly #sockets = new Set<Socket>();
  #server: Server;
  private readonly target: URL;
  private readonly defaultPort: number;

  private constructor(target: URL, defaultPort: number) {
    this.target = target;
    this.defaultPort = defaultPort;
    this.#server = this.#create();
  }

  /** Resolves with the link, and with the broker URL that the system must use. */
  static async open(url: string): Promise<{ link: BrokerLink; url: string }> {
    const target = new URL(url);
    const link = new BrokerLink(target, target.protocol === 'nats:' ? 4_222 : 5_672);
    link.#server.listen(0, '127.0.0.1');
    await once(link.#server, 'listening');
    const near = new URL(url);
    near.hostname = '127.0.0.1';
    near.port = String(link.#port);
    return { link, url: near.href };
  }

  async cut(): Promise<End> {
    const port = this.#port;
    await this.close();
    return async () => {
      this.#server = this.#create();
      this.#server.listen(port, '127.0.0.1');
      await once(this.#server, 'listening');
    };
  }

  async close(): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  get #port(): number {
    return (this.#server.address() as { port: number }).port;
  }

  #create(): Server {
    return createServer((near) => {
      const far = connect(Number(this.target.port) || this.defaultPort, this.target.hostname);
      for (const [from, to] of [
        [near, far],
        [far, near],
      ] as const) {
        this.#sockets.add(from);
        from.pipe(to);
        from.on('error', () => to.destroy());
        from.on('close', () => {
          this.#sockets.delete(from);
          to.destroy();
        });
      }
    });
  }
}

function fill(dataDir: string): End {
  const file = join(dataDir, '..', 'ballast');
  const { bavail, bsize } = statfsSync(dataDir);
  try {
    writeFileSync(file, Buffer.alloc(bavail * bsize));
  } catch {
    // The disk is full, which is the goal.
  }
  return () => rmSync(file, { force: true });
}

function inWords(pids: readonly number[]): string {
  return pids.length === 0 ? 'nobody is there' : `process ${pids.join(', ')}`;
}

function edgeInWords(fault: EdgeFaultChoice): string {
  if ('latencyMs' in fault) return `${fault.latencyMs} ms late`;
  if ('lose' in fault) return fault.lose === 'call' ? 'lost on the way' : 'done, with the answer lost';
  if ('double' in fault) return 'arrive twice';
  if ('error' in fault) return `refused as ${fault.error}`;
  return fault.inside === 'block' ? 'hold the process up for 100 ms' : 'kill the process';
}

function why(body: unknown): string {
  const { detail, title } = (body ?? {}) as { detail?: string; title?: string };
  return detail ?? title ?? String(body);
}

function seconds(ms: number): string {
  return `${(ms / 1_000).toFixed(1)} s`;
}
