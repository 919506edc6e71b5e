import type { Client, Contract } from '../contract/index.ts';
import { isRefusal, isTransient } from '../errors/index.ts';
import type { Resources } from './resources.ts';
import type { Session, Sessions, SignInLimit } from './sessions.ts';

/** Dependencies of a composition. */
export interface CompositionContext {
  /** Returns the client of a contract. The composition must list the contract in `uses`. */
  client<C extends Contract>(contract: C): Client<C>;
  readonly sessions: Sessions;
  readonly signInLimit: SignInLimit;
  /** Returns the session of the current request. */
  session(): Session | undefined;
  /** Returns the client address of the current request. It is personal data: use it for limits only. */
  clientAddress(): string;
}

/** Public resources that need several modules. They run in the gateway and know modules by contract only. */
export interface Composition {
  readonly name: string;
  readonly uses: readonly Contract[];
  routes(parts: CompositionContext): Resources;
}

/** The answer of each part, or `null`; and the names of the parts that are `null`. */
type Gathered<P extends Record<string, () => Promise<unknown>>> = {
  [K in keyof P]: Awaited<ReturnType<P[K]>> | null;
} & { missing: string[] };

/**
 * Calls several modules at once and returns their answers. A part with a transient refusal is `null`; `missing` lists its name,
 * in the order of `parts`. Rejects with any other error of a part.
 */
export async function gather<P extends Record<string, () => Promise<unknown>>>(parts: P): Promise<Gathered<P>> {
  const lacking = new Set<string>();
  const answers = await Promise.all(
    Object.entries(parts).map(async ([name, ask]) => {
      try {
        return [name, await ask()] as const;
      } catch (error) {
        if (!isRefusal(error) || !isTransient(error)) throw error;
        lacking.add(name);
        return [name, null] as const;
      }
    }),
  );
  const missing = Object.keys(parts).filter((name) => lacking.has(name));
  return { ...Object.fromEntries(answers), missing } as Gathered<P>;
}
