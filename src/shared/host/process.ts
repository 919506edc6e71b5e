import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { type Contract, describeContract } from '../contract/index.ts';
import { isRefusal, messageOf, StartError } from '../errors/index.ts';
import { rotate } from '../identity/index.ts';
import type { ModuleDefinition } from '../module/index.ts';
import { readTopology, type Topology } from '../topology/index.ts';
import { announced } from './announced.ts';
import { type Host, openHost } from './host.ts';
import { describe } from './operations.ts';
import { whenToStop } from './parent.ts';
import { warningsOf } from './warnings.ts';

const help = `Usage: npm start -- [--only module[,module]] [--json]

  --only   run these modules alone, as a service for the others
  --json   print what runs where as JSON

Settings come from the environment and topology.yaml; the README lists them.`;

export interface CommandLine {
  only: string[] | undefined;
  json: boolean;
  /** Make new signing keys instead of running. */
  newKeys: boolean;
  /** Print what the modules say of themselves instead of running. */
  modules: boolean;
  /** Print contracts as `.proto` instead of running: of these modules, of all when there are none. */
  proto: string[] | undefined;
}

/** Throws a `StartError` for words it does not know; prints the help and ends the process when that is asked for. */
export function readCommandLine(words: string[]): CommandLine {
  try {
    const { values } = parseArgs({
      args: words,
      options: {
        only: { type: 'string' },
        json: { type: 'boolean', default: false },
        'rotate-keys': { type: 'boolean', default: false },
        modules: { type: 'boolean', default: false },
        proto: { type: 'string' },
        help: { type: 'boolean', short: 'h' },
      },
    });
    if (values.help) {
      console.log(help);
      process.exit(0);
    }
    const names = (list: string | undefined) => list?.split(',').map((name) => name.trim());
    const proto = values.proto === '' ? [] : names(values.proto);
    return {
      only: names(values.only),
      json: values.json,
      newKeys: values['rotate-keys'],
      modules: values.modules,
      proto,
    };
  } catch (error) {
    throw new StartError(`${(error as Error).message.split(/\.\s/)[0]}; see npm start -- --help`);
  }
}

/**
 * Makes new signing keys in the data folder. Running processes take them up by themselves; what the two keys before have
 * signed stays valid.
 */
export async function rotateKeys({ settings }: Topology): Promise<() => Promise<void>> {
  for (const use of ['sessions', 'internal']) {
    const file = join(settings.DATA_DIR, 'keys', `${use}.json`);
    console.log(`${file}: signing with ${rotate(file)} from now on`);
  }
  return nothingToClose;
}

/** Prints what must be known of each module where another runs alone: for who builds an artifact of one of them. */
export async function printModules(modules: readonly ModuleDefinition[]) {
  const described = modules.map(({ about, contract, subscribesTo = [], settings }) => ({
    about,
    contract: describeContract(contract),
    subscribesTo: subscribesTo.map(({ type }) => type),
    settings: Object.keys(settings?.shape ?? {}),
  }));
  console.log(JSON.stringify(described));
  return nothingToClose;
}

/**
 * Runs one module alone, in an artifact that holds it and no other: `others` are known, not there. Its topology, settings and
 * words are those of the whole system.
 */
export function runAlone(own: ModuleDefinition, others: readonly ModuleDefinition[]): Promise<void> {
  const modules = [own, ...others];
  return runUntilStopped(async () => {
    const { only = [own.contract.name], json } = readCommandLine(process.argv.slice(2));
    const host = await openHost(readTopology(modules, only, process.env), modules);
    await announce(host, undefined, json);
    return async () => {
      host.drain();
      await host.close();
    };
  });
}

/** Prints contracts for programs in other languages that call a module by gRPC, or serve one. */
export async function printProto(modules: readonly { contract: Contract }[], names: readonly string[]) {
  const contracts = modules.map(({ contract }) => contract);
  const { protoText } = await import('../proto/index.ts');
  const unknown = names.find((name) => contracts.every((contract) => contract.name !== name));
  if (unknown !== undefined)
    throw new StartError(`there is no module "${unknown}"; there are ${contracts.map(({ name }) => name).join(', ')}`);
  const wanted = contracts.filter(({ name }) => names.length === 0 || names.includes(name));
  process.stdout.write(wanted.map(protoText).join('\n'));
  return nothingToClose;
}

const nothingToClose = async () => {};

/** Says where to look, what runs where, and what will not go well. */
export async function announce(host: Host, gateway: string | undefined, json: boolean): Promise<void> {
  // A service that the home process started has the same settings as that, and nobody who reads what it says.
  if (!process.send) for (const warning of warningsOf(host, process.env, new Date())) host.log.warn(warning);
  const { bus, modules } = describe(host, await host.away());
  if (json) {
    console.log(JSON.stringify({ public: gateway ?? null, internal: host.address, bus, modules }));
    return;
  }
  const lines = announced(modules, (name) => host.open.has(name));
  const doors = gateway
    ? [`Kerf is ready: ${gateway}`, `  API reference  ${gateway}/docs`, `  internal       ${host.address}`]
    : [`Kerf is ready: ${host.topology.only?.join(', ')} at ${host.address}`];
  console.log(
    [...doors, `  data           ${host.topology.settings.DATA_DIR}`, `  events         ${bus}`, '', ...lines].join(
      '\n',
    ),
  );
}

const drainMs = 9_500;

/**
 * Runs a process: `start` opens it and returns the way to close it. `SIGTERM`, `SIGINT` and `SIGHUP` close it in order and end it with 0
 * (with 1 when that takes longer than 9.5 s). What keeps it from starting is one line on standard error, and 1.
 */
export async function runUntilStopped(start: () => Promise<() => Promise<void>>): Promise<void> {
  let close: (() => Promise<void>) | undefined;
  let stopping = false;
  const stop = async () => {
    if (stopping) return;
    stopping = true;
    setTimeout(() => process.exit(1), drainMs).unref();
    await close?.();
    process.exit(0);
  };
  whenToStop(() => void stop());
  try {
    close = await start();
  } catch (error) {
    const { code, message, cause } = error as Error & { code?: unknown };
    // What the system or the database refuses says what and where by itself; anything else is a fault of ours.
    if (!(error instanceof StartError) && typeof code !== 'string') throw error;
    // A refusal is for callers; what is in the way is its cause.
    console.error(`kerf: ${isRefusal(error) && cause ? messageOf(cause) : message}`);
    process.exit(1);
  }
}
