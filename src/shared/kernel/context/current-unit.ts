import { AsyncLocalStorage } from 'node:async_hooks';

/** What the running code may write to: known to the database that opened it, and to whoever must not be called inside. */
export interface UnitMark {
  readonly database: string;
  open: boolean;
  /** It was rolled back. Its task may still run, when it was cut off. */
  undone?: true;
}

export const currentUnit = new AsyncLocalStorage<UnitMark>();

/**
 * Throws when a unit of work is open: the call would hold its database locked for as long as the answer takes. Throws as well
 * in a task that runs on after its unit was rolled back: its caller has given it up, and may have begun it anew.
 */
export function refuseInsideUnit({ module, name }: { readonly module: string; readonly name: string }): void {
  const unit = currentUnit.getStore();
  if (unit?.undone)
    throw new Error(`${module}.${name} was called by a task whose unit of work of "${unit.database}" was rolled back`);
  if (!unit?.open) return;
  throw new Error(
    `${module}.${name} was called inside a unit of work of "${unit.database}", which would stay locked until the answer comes. Call first and then open the unit, or start a saga in it`,
  );
}
