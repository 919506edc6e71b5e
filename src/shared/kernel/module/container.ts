import 'reflect-metadata';
import { type DependencyContainer, container as root } from 'tsyringe';
import { type Call, type CallSource, createClient } from '../calls/index.ts';
import type { Client, Contract, Operation } from '../contract/index.ts';
import { StartError } from '../errors/index.ts';
import type { Manifest } from './manifest.ts';
import type { Token } from './tokens.ts';

/**
 * Holds everything that a module can obtain: clients of the modules that its `module.json` declares, values of the kernel, and
 * values that the module registers itself.
 */
export class ModuleContainer<S = Record<string, unknown>> {
  readonly #child: DependencyContainer = root.createChildContainer();
  private readonly about: Manifest;
  private readonly calls: CallSource;
  readonly settings: S;

  constructor(about: Manifest, calls: CallSource, settings: S) {
    this.about = about;
    this.calls = calls;
    this.settings = settings;
  }

  /** Returns the client of `contract`. Throws a `StartError` with the missing line when `module.json` does not declare it in `uses`. */
  client<C extends Contract>(contract: C): Client<C> {
    return createClient(contract, (operation) => this.call(operation));
  }

  /** Returns the call of one operation, for code that holds no client. Throws as `client` does. */
  call(operation: Operation): Call {
    const { name, uses } = this.about;
    if (operation.module !== name && !uses.includes(operation.module)) {
      throw new StartError(
        `"${name}" asks for "${operation.module}", which it does not declare. Add it in src/modules/${name}/module.json: "uses": ${JSON.stringify([...uses, operation.module])}`,
      );
    }
    return this.calls(operation, name);
  }

  register<T>(token: Token<T>, make: () => T): void {
    let made: { value: T } | undefined;
    this.#child.register(token.symbol, {
      useFactory: () => {
        made ??= { value: make() };
        return made.value;
      },
    });
  }

  /** Returns the value that is registered under `token`. Throws when there is none. */
  resolve<T>(token: Token<T>): T {
    if (!this.#child.isRegistered(token.symbol)) {
      throw new Error(
        `"${this.about.name}" asks for ${token.about}, which nothing registered: register it in src/modules/${this.about.name}/module.ts`,
      );
    }
    return this.#child.resolve<T>(token.symbol);
  }
}
