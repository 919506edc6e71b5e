import { AsyncLocalStorage } from 'node:async_hooks';

/** Marks the unit of work in which the running code may write. The database and code that must not run inside a unit read it. */
export interface UnitMark {
  readonly database: string;
  open: boolean;
  /** The unit was rolled back. Its task may still run when the unit was cut off. */
  undone?: true;
}

export const currentUnit = new AsyncLocalStorage<UnitMark>();

/**
 * Throws when a unit of work is open: the call would keep the database locked until the answer arrives. Also throws in a task
 * that still runs after its unit was rolled back: the task's caller has abandoned it, and may have started it again.
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
