import { z } from 'zod';
import { type Contract, contract, type Event } from '../contract/index.ts';
import { StartError } from '../errors/index.ts';
import { type Manifest, manifestSchema } from './manifest.ts';
import type { ModuleDefinition } from './module.ts';

export interface RemoteModule<C extends Contract = Contract> {
  readonly about: Manifest;
  /** Where it is called or listened to from; without one, nobody here calls it. */
  readonly contract?: C;
  /** Its public resources, where the gateway serves them for it. */
  readonly routes?: NonNullable<ModuleDefinition<C>['routes']>;
  /** The types of the events it takes: who publishes one must know for whom. */
  readonly subscribesTo: readonly string[];
  /** The names of its settings, which are not looked at where it does not run. */
  readonly settings: readonly string[];
}

/** A module that is part of the system and not of this artifact: it can be called and told of, and not be opened. */
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
    subscribesTo: subscribesTo.map((type) => ({ type }) as Event),
    // Asked for before its data is opened, which is not this artifact's to make or to change.
    get migrations() {
      return refuse();
    },
    open: refuse,
  };
  return definition as unknown as ModuleDefinition;
}
