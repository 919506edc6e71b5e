import { randomUUID } from 'node:crypto';
import { type Directory, type Link, ofKernel, type ShownDatabase } from '../../kernel/calls/index.ts';
import { background } from '../../kernel/context/index.ts';
import {
  type DatabaseRecord,
  type DatabaseRecords,
  type DatabaseState,
  joinSystem,
  stateOf,
  whyNotThis,
} from '../../kernel/database/index.ts';
import { refusal, StartError } from '../../kernel/errors/index.ts';
import type { ModuleDefinition, OpenModule } from '../../kernel/module/index.ts';
import type { Adapters } from '../../kernel/ports/index.ts';
import type { Log } from '../../kernel/telemetry/index.ts';
import { enrolsAtParent } from '../supervisor/index.ts';
import type { Placement, Topology } from '../topology/index.ts';
import type { Connections } from './connections.ts';

const answersWithinMs = 1_000;
const lookEveryMs = 10_000;

interface DatabasesDependencies extends Pick<Connections, 'tokens' | 'tls'> {
  readonly adapters: Pick<Adapters, 'connect'>;
  readonly topology: Topology;
  /** Where each module is placed now. */
  readonly placements: ReadonlyMap<string, Placement>;
  readonly definitions: readonly ModuleDefinition[];
  readonly records: DatabaseRecords;
  readonly open: ReadonlyMap<string, OpenModule>;
  readonly directory: Directory;
  readonly log: Log;
  /** The modules whose data is taken as it is, this time. */
  readonly accepted: readonly string[];
}

/**
 * Holds the databases of modules that run in other data folders against what the home process has seen of them. The home process asks when it
 * starts, and now and then; a process that runs a module by itself asks the home process when it starts. So whichever comes second notices.
 */
export class Databases {
  #looking: NodeJS.Timeout | undefined;
  private readonly parts: DatabasesDependencies;

  constructor(parts: DatabasesDependencies) {
    this.parts = parts;
  }

  /** As the home process: throws a `StartError` when a module that answers has other data than before. From then on looks now and then. */
  async refuseOthers(): Promise<void> {
    if (this.parts.topology.only) return;
    const [why] = await this.#look();
    if (why) throw new StartError(why);
    this.#looking = background.setInterval(() => void this.#lookAgain(), lookEveryMs);
    this.#looking.unref();
  }

  /**
   * As a process that runs modules by itself: throws a `StartError` when the home process does not take their data. Resolves with whether it
   * was asked; one that does not answer asks by itself when it starts.
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

  /** What this process says of a module's data to the home process, whose system it joins unless it has one. */
  async identify(
    module: OpenModule,
    { system, accepted }: { system: string; accepted: boolean },
  ): Promise<ShownDatabase> {
    await this.#join(module, system, accepted);
    return shown(await stateOf(module.database));
  }

  /**
   * What the home process says to one that introduces a module's data. It accepts a loss only at the word of its own start: another process
   * that may call in the module's name could put its own data in the place of the module's.
   */
  introduced(module: string, { accepted, ...database }: ShownDatabase & { accepted: boolean }) {
    const { records, topology } = this.parts;
    if (topology.only) throw refusal('not-found', 'this is not the home process');
    const why = this.#hold(module, database, records.of(module));
    if (why === undefined) return { system: records.system };
    const cure = `the home process alone accepts a loss: start that with --accept-loss ${module}`;
    return { why: accepted ? `${why}; ${cure}` : why };
  }

  /** Why the home process does not take it, compared with `record`; keeps what it has seen otherwise. */
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

  /** Asks all other processes that are found; resolves with what is wrong. One that does not answer is asked the next time. */
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
    // On the home process's data folder, this process may have written a newer record than it had introduced.
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

/** The answer; nothing from a process that does not answer, or of a release that does not know the question. */
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
