import { z } from 'zod';
import { type Contract, contract, type Event } from '../contract/index.ts';
import { StartError } from '../errors/index.ts';
import { type About, aboutSchema } from './about.ts';
import type { ModuleDefinition } from './module.ts';

export interface Known {
  readonly about: About;
  /** Where it is called or listened to from; without one, nobody here calls it. */
  readonly contract?: Contract | undefined;
  /** The types of the events it takes: who publishes one must know for whom. */
  readonly subscribesTo: readonly string[];
  /** The names of its settings, which are not looked at where it does not run. */
  readonly settings: readonly string[];
}

/** A module that is part of the system and not of this artifact: it can be called and told of, and not be opened. */
export function knownModule({ about, contract: known, subscribesTo, settings }: Known): ModuleDefinition {
  const { name } = aboutSchema.parse(about);
  return {
    contract: known ?? (contract(name, { operations: {}, events: {}, errors: {} }) as unknown as Contract),
    about,
    settings: z.object(Object.fromEntries(settings.map((setting) => [setting, z.unknown().optional()]))),
    migrations: [],
    subscribesTo: subscribesTo.map((type) => ({ type }) as Event),
    open() {
      throw new StartError(`${name} is not part of this artifact; start the one that holds it`);
    },
  };
}

/** The contract among what a module's contract.ts exports. */
export function contractIn(exported: Readonly<Record<string, unknown>>, name: string): Contract {
  const found = Object.values(exported).find(
    (each) => typeof each === 'object' && each !== null && 'operations' in each && (each as Contract).name === name,
  );
  if (!found) throw new StartError(`contract.ts of ${name} exports no contract of that name`);
  return found as Contract;
}
