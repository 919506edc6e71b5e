import { randomUUID } from 'node:crypto';
import { type Link, ofKernel, type ShownDatabase } from '../../kernel/calls/index.ts';
import { background } from '../../kernel/context/index.ts';
import {
  type DatabaseRecord,
  type DatabaseRecords,
  type DatabaseState,
  joinSystem,
  stateOf,
  whyNotThis,
} from '../../kernel/database-engine/index.ts';
import { refusal, StartError } from '../../kernel/errors/index.ts';
import type { ModuleDefinition, OpenModule } from '../../kernel/module/index.ts';
import type { Log } from '../../kernel/telemetry/index.ts';
import type { Adapters } from '../adapter-list/index.ts';
import type { Directory } from '../routing/index.ts';
import { enrolsAtParent } from '../supervisor/index.ts';
import type { Placement, Topology } from '../topology/index.ts';
import type { Connections } from './connections.ts';

const answersWithinMs = 1_000;
const lookEveryMs = 10_000;

interface DatabasesDependencies extends Pick<Connections, 'tokens' | 'tls'> {
  readonly adapters: Pick<Adapters, 'connect'>;
  readonly topology: Topology;
  /** The current placement of each module. */
  readonly placements: ReadonlyMap<string, Placement>;
  readonly definitions: readonly ModuleDefinition[];
  readonly records: DatabaseRecords;
  readonly open: ReadonlyMap<string, OpenModule>;
  readonly directory: Directory;
  readonly log: Log;
  /** The modules whose data this start accepts as it is. */
  readonly accepted: readonly string[];
}

/**
 * Compares the databases of modules in other data folders with the home process's records of them. The home process asks when it
 * starts, and at intervals. A process that runs a module by itself asks the home process when it starts. So the process that starts
 * second notices a mismatch.
 */
export class Databases {
  #looking: NodeJS.Timeout | undefined;
  private readonly parts: DatabasesDependencies;

  constructor(parts: DatabasesDependencies) {
    this.parts = parts;
  }

  /** In the home process: throws a `StartError` when a module that answers has other data than before. Then checks at intervals. */
  async refuseOthers(): Promise<void> {
    if (this.parts.topology.only) return;
    const [why] = await this.#look();
    if (why) throw new StartError(why);
    this.#looking = background.setInterval(() => void this.#lookAgain(), lookEveryMs);
    this.#looking.unref();
  }

  /**
   * In a process that runs modules by itself: throws a `StartError` when the home process refuses their data. Resolves with whether
   * the home process answered; if it did not, it asks by itself when it starts.
   */
  async introduce(): Promise<boolean> {
    const { topology, open } = this.parts;
    // A process that the home process has started shares its data folder.
    if (!topology.only || enrolsAtParent()) return true;
    const asked = await Promise.all([...open.values()].map((module) => this.#introduceOne(module)));
    return asked.every((each) => each);
  }

  close(): void {
    clearInterval(this.#looking);
  }

  /** Describes a module's data to the home process. The data joins the home process's system unless it belongs to one already. */
  async identify(
    module: OpenModule,
    { system, accepted }: { system: string; accepted: boolean },
  ): Promise<ShownDatabase> {
    await this.#join(module, system, accepted);
    return shown(await stateOf(module.database));
  }

  /**
   * Answers, in the home process, a process that introduces a module's data. Only the home process's own start may accept a loss.
   * Otherwise, another process that may call in the module's name could replace the module's data with its own.
   */
  introduced(module: string, { accepted, ...database }: ShownDatabase & { accepted: boolean }) {
    const { records, topology } = this.parts;
    if (topology.only) throw refusal('not-found', 'this is not the home process');
    const why = this.#hold(module, database, records.of(module));
    if (why === undefined) return { system: records.system };
    const cure = `the home process alone accepts a loss: start that with --accept-loss ${module}`;
    return { why: accepted ? `${why}; ${cure}` : why };
  }

  /** Compares the data with `record`. Returns why the home process refuses the data; otherwise records its state. */
  #hold(
    module: string,
    { system, id, commits }: ShownDatabase,
    record: DatabaseRecord | undefined,
  ): string | undefined {
    const { records } = this.parts;
    const state: DatabaseState = { system: system ?? null, module, id, commits };
    const why = whyNotThis(module, state, record, records.system);
    if (why === undefined) records.see(state);
    return why;
  }

  async #lookAgain(): Promise<void> {
    const { log } = this.parts;
    try {
      for (const why of await this.#look()) log.error({ why }, 'a module runs on data of its own');
    } catch (error) {
      log.error({ error }, 'the data of modules that run elsewhere cannot be compared with its records');
    }
  }

  /** Asks all other known processes; resolves with the problems. The next check asks a silent process again. */
  async #look(): Promise<string[]> {
    const { definitions, open, directory, placements } = this.parts;
    const elsewhere = definitions
      .map(({ contract }) => contract.name)
      .filter((name) => !open.has(name) && placements.get(name)?.kind !== 'service');
    const asked = elsewhere.flatMap((name) => {
      const at = directory.routeTo(name);
      const instances = at.state === 'there' ? at.upstream.instances : [];
      return instances.map(({ address, link }) => this.#lookAt(name, address, link));
    });
    return (await Promise.all(asked)).flat();
  }

  async #lookAt(module: string, address: string, link: Link): Promise<string[]> {
    const { records, accepted } = this.parts;
    const input = { system: records.system!, accepted: accepted.includes(module) };
    // A process on the same data folder writes the record every second, also while its answer is on the way.
    const record = records.of(module);
    const answer = await ask<ShownDatabase>(link, 'identify', module, 'home', input);
    const why = answer && this.#hold(module, answer, record);
    return why === undefined ? [] : [`the data of "${module}" at ${address} is refused: ${why}`];
  }

  async #introduceOne(module: OpenModule): Promise<boolean> {
    const { topology, definitions, tokens, tls } = this.parts;
    const { name } = module;
    const { contract } = definitions.find((each) => each.contract.name === name)!;
    const accepted = this.parts.accepted.includes(name);
    const address = topology.homeAddress;
    const link = this.parts.adapters.connect({ module: name, contract, address, tokens, tls, onLeaving() {} });
    const introduced = async () => {
      const input = { ...shown(await stateOf(module.database)), accepted };
      return ask<{ system?: string; why?: string }>(link, 'introduce', name, name, input);
    };
    let answer = await introduced();
    // On the home process's data folder, this process may have written a newer record since it introduced the data.
    if (answer?.why) answer = await introduced();
    await link.close();
    if (answer?.why) throw new StartError(`the home process (${address}) refuses the data of "${name}": ${answer.why}`);
    if (answer?.system) await this.#join(module, answer.system, accepted);
    return answer !== undefined;
  }

  async #join({ name, database }: OpenModule, system: string, accepted: boolean): Promise<void> {
    const { records, log } = this.parts;
    const { system: own } = await stateOf(database);
    if (own === system || (own !== null && !accepted)) return;
    await joinSystem(database, system);
    records.setSystem(system);
    log.warn({ module: name, system }, 'the data of a module belongs to this system from now on');
  }
}

function shown({ system, id, commits }: DatabaseState): ShownDatabase {
  return { ...(system !== null && { system }), id, commits };
}

/** Returns the answer; `undefined` when the process does not answer, or its release does not know the question. */
async function ask<T>(
  link: Link,
  what: 'identify' | 'introduce',
  module: string,
  caller: string,
  input: object,
): Promise<T | undefined> {
  const context = { requestId: randomUUID(), caller, deadline: Date.now() + answersWithinMs };
  const answer = link.call({ operation: ofKernel(what, module), input, context }) as Promise<T>;
  return answer.catch(() => undefined);
}
