import { z } from 'zod';
import { type Contract, contract, type Event } from '../contract/index.ts';
import { StartError } from '../errors/index.ts';
import { type Manifest, manifestSchema } from './manifest.ts';
import type { ModuleDefinition } from './module.ts';

export interface RemoteModule<C extends Contract = Contract> {
  readonly about: Manifest;
  /** Required when a module here calls it or subscribes to its events. Without a contract, no module here calls it. */
  readonly contract?: C;
  /** The public resources of the module, when the gateway serves them for it. */
  readonly routes?: NonNullable<ModuleDefinition<C>['routes']>;
  /** The types of the events that it receives. A publisher needs them to find its recipients. */
  readonly subscribesTo: readonly string[];
  /** The names of its settings. A process that does not run the module does not check their values. */
  readonly settings: readonly string[];
}

/**
 * Defines a module that belongs to the system but not to this artifact. Modules here can call it and send events to it, but this
 * artifact cannot open it.
 */
export function remoteModule<C extends Contract>({
  contract: given,
  subscribesTo,
  settings,
  ...known
}: RemoteModule<C>): ModuleDefinition {
  const about = manifestSchema.parse(known.about);
  const refuse = (): never => {
    throw new StartError(
      `${about.name} is not part of this artifact; start the one that holds it, and place ${about.name} at its address`,
    );
  };
  const definition = {
    ...known,
    about,
    elsewhere: true,
    contract: given ?? contract(about.name, { operations: {}, events: {}, errors: {} }),
    settings: z.object(Object.fromEntries(settings.map((setting) => [setting, z.unknown().optional()]))),
    subscriptions: subscribesTo.map((type) => ({ event: { type } as Event, handle: refuse })),
    // The kernel reads the migrations before it opens the data. This artifact must not create or change that data.
    get migrations() {
      return refuse();
    },
    open: refuse,
  };
  return definition as ModuleDefinition;
}
