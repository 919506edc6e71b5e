import type { Client, Contract } from '../contract/index.ts';
import { isRefusal, isTransient } from '../errors/index.ts';
import type { Session, SessionTokens } from '../identity/index.ts';
import type { Resources } from './resources.ts';

/** What a composition may use. */
export interface CompositionContext {
  /** The client of a contract in its `uses`. */
  client<C extends Contract>(contract: C): Client<C>;
  readonly sessions: SessionTokens;
  /** The session of the request that is served. */
  session(): Session | undefined;
  /** The address of the client whose request is served: personal data, for limits only. */
  clientAddress(): string;
}

/** Public resources that no single module can answer. They run in the gateway and know modules by contract only. */
export interface Composition {
  readonly name: string;
  readonly uses: readonly Contract[];
  routes(parts: CompositionContext): Resources;
}

/**
 * Asks several modules at once and takes what comes in time. A part that is away, late or failing is `null` and named in
 * `missing`, in the order in which they were asked; any other refusal is the whole answer's.
 */
export async function gather<P extends Record<string, () => Promise<unknown>>>(
  parts: P,
): Promise<{ [K in keyof P]: Awaited<ReturnType<P[K]>> | null } & { missing: string[] }> {
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
  return { ...Object.fromEntries(answers), missing } as never;
}
