import { type Composition, openGateway } from '../../kernel/http-api/index.ts';
import type { ModuleDefinition } from '../../kernel/module/index.ts';
import type { Adapter } from '../../kernel/ports/index.ts';
import { readTopology } from '../topology/index.ts';
import { announce } from './announce.ts';
import { printIdentity, printModules, printProto, readCommandLine, rotateKeys } from './command-line.ts';
import { openHost } from './host.ts';
import { runUntilStopped, type Started } from './run.ts';

/** The parts of a product. */
export interface ProductDefinition {
  readonly modules: readonly ModuleDefinition[];
  readonly adapters: readonly Adapter[];
  /** Public answers that need several modules. */
  readonly compositions: readonly Composition[];
}

/** Runs the part of the product that the command line and the settings give to this process, until a signal stops it. */
export function run(product: ProductDefinition): Promise<void> {
  return runUntilStopped(() => start(product, process.argv.slice(2)));
}

async function start(
  { modules, adapters, compositions }: ProductDefinition,
  words: string[],
): Promise<Started | undefined> {
  const { only, json, acceptLoss, newKeys, revoke, identity, proto, ...print } = readCommandLine(words);
  if (proto) return printProto(modules, adapters, proto);
  if (print.modules) return printModules(modules);
  const topology = readTopology(modules, only, process.env);
  if (newKeys) return rotateKeys(topology, revoke);
  if (identity) return printIdentity(topology, identity);
  const host = await openHost(topology, modules, adapters, acceptLoss);
  const gateway = only ? undefined : await openGateway(host, compositions);
  await announce(host, gateway?.address, json);
  return {
    drainDelayMs: topology.settings.DRAIN_DELAY_MS,
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
