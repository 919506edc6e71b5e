import { StartError } from '../../kernel/errors/index.ts';
import type { Composition } from '../../kernel/http-api/index.ts';
import type { ModuleDefinition } from '../../kernel/module/index.ts';
import type { Adapter } from '../../kernel/ports/index.ts';
import { Adapters } from '../adapter-list/index.ts';
import { type Gateway, openGateway } from '../gateway/index.ts';
import type { ControlPart } from '../parts/index.ts';
import { readTopology } from '../topology/index.ts';
import { announce } from './announce.ts';
import { printIdentity, printModules, printProto, readCommandLine, rotateKeys } from './command-line.ts';
import { type Host, openHost } from './host.ts';
import { printPrerequisites } from './prerequisites.ts';
import { runUntilStopped, type Started } from './run.ts';

/** The parts of a product. */
export interface ProductDefinition {
  readonly modules: readonly ModuleDefinition[];
  readonly adapters: readonly Adapter[];
  /** Public answers that need several modules. */
  readonly compositions: readonly Composition[];
  /** The optional parts of the control ring. */
  readonly control: readonly ControlPart[];
}

/** Runs the part of the product that the command line and the settings give to this process, until a signal stops it. */
export function run(product: ProductDefinition): Promise<void> {
  return runUntilStopped(() => start(product, process.argv.slice(2)));
}

/**
 * Runs one module alone, from an artifact that contains only this module: `others` are remote modules. The topology, the settings
 * and the command line are those of the whole system, without the options that need it whole.
 */
export function runAlone(
  own: ModuleDefinition,
  others: readonly ModuleDefinition[],
  adapters: readonly Adapter[],
  control: readonly ControlPart[],
): Promise<void> {
  return runUntilStopped(async () => {
    const { only = [own.contract.name], json, acceptLoss, ...other } = readCommandLine(process.argv.slice(2));
    if (other.modules) return printModules([own]);
    if (other.newKeys || other.revoke || other.identity || other.proto)
      throw new StartError('--rotate-keys, --revoke, --identity and --proto need the program with all modules');
    const modules = [own, ...others];
    const topology = readTopology(modules, only, process.env, new Adapters(adapters));
    if (other.prerequisites) return printPrerequisites(topology);
    const host = await openHost(topology, modules, control, acceptLoss);
    await announce(host, undefined, json);
    return started(host);
  });
}

async function start(
  { modules, adapters, compositions, control }: ProductDefinition,
  words: string[],
): Promise<Started | undefined> {
  const { only, json, acceptLoss, newKeys, revoke, identity, proto, ...print } = readCommandLine(words);
  if (proto) return printProto(modules, adapters, proto);
  if (print.modules) return printModules(modules);
  const topology = readTopology(modules, only, process.env, new Adapters(adapters));
  if (print.prerequisites) return printPrerequisites(topology);
  if (newKeys) return rotateKeys(topology, revoke);
  if (identity) return printIdentity(topology, identity);
  const host = await openHost(topology, modules, control, acceptLoss);
  const gateway = only ? undefined : await openGateway(host, compositions);
  await announce(host, gateway?.address, json);
  return started(host, gateway);
}

function started(host: Host, gateway?: Gateway): Started {
  return {
    drainDelayMs: host.topology.settings.DRAIN_DELAY_MS,
    announceStop() {
      host.announceStop();
      gateway?.announceStop();
    },
    async close() {
      host.drain();
      await gateway?.close();
      await host.close();
    },
  };
}
