import { countPublished, lastPublished } from '../../kernel/events/index.ts';
import type { OpenModule } from '../../kernel/module/index.ts';
import type { Observations } from './advise.ts';

type Open = ReadonlyMap<string, Pick<OpenModule, 'database'>>;

/**
 * Counts the events that modules publish from now until the caller calls the returned function. Omits a module that was not open here
 * all the time: its outbox may hold events from another time or another process.
 */
export async function countEvents(open: Open): Promise<() => Promise<Observations['events']>> {
  const began = await Promise.all(
    [...open].map(async ([from, { database }]) => ({ from, database, since: await lastPublished(database) })),
  );
  return async () => {
    const stayed = began.filter(({ from, database }) => open.get(from)?.database === database);
    const counted = stayed.map(async ({ from, database, since }) =>
      (await countPublished(database, since)).map(({ recipient, count }) => ({ from, to: recipient, count })),
    );
    return (await Promise.all(counted)).flat();
  };
}
