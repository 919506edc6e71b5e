/** Ids of the instances of this very process: a row with its number and another id is of one that died before it. */
const ownIds = new Set<string>();

export function isOwn(id: string): void {
  ownIds.add(id);
}

export function isOwnNoMore(id: string): void {
  ownIds.delete(id);
}

/** Whether the process behind an instance of this host runs. */
export function runsHere({ id, pid }: { readonly id: string; readonly pid: number }): boolean {
  if (pid === process.pid) return ownIds.has(id);
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ESRCH';
  }
}
