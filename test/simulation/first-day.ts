import catalog from '../../src/modules/catalog/module.ts';
import inventory from '../../src/modules/inventory/module.ts';
import mail from '../../src/modules/mail/module.ts';
import members from '../../src/modules/members/module.ts';
import notifications from '../../src/modules/notifications/module.ts';
import orders from '../../src/modules/orders/module.ts';
import payments from '../../src/modules/payments/module.ts';
import recommendations from '../../src/modules/recommendations/module.ts';
import sms from '../../src/modules/sms/module.ts';
import { currentUnit, ManualClock } from '../../src/shared/kernel/context/index.ts';
import type { Database, Migration, Unit } from '../../src/shared/kernel/database/index.ts';
import { type Bus, subscriptionMap } from '../../src/shared/kernel/events/index.ts';
import { type ModuleDefinition, type OpenModule, openModule } from '../../src/shared/kernel/module/index.ts';
import { silentLog } from '../../src/shared/kernel/telemetry/index.ts';
import { noLocks } from './database.ts';
import { determine } from './determined.ts';
import { Disk } from './disk.ts';
import { countEffects } from './effects.ts';
import { Random } from './random.ts';

const all = [members, catalog, orders, inventory, payments, notifications, mail, sms, recommendations];
const morning = Date.UTC(2026, 0, 1);

/** The initial state of every history: migrated disks with initial data, and two members without a welcome so far. */
export interface FirstDay {
  readonly definitions: ReadonlyMap<string, ModuleDefinition>;
  readonly disks: ReadonlyMap<string, Disk>;
  readonly members: Readonly<Record<'Ada' | 'Bob', string>>;
}

/** Opens every real module on an empty disk, and signs up Ada (with a phone) and Bob. A process calls it once. */
export async function firstDay(): Promise<FirstDay> {
  const restore = determine(() => morning, new Random(1), undefined);
  try {
    const disks = new Map(all.map(({ contract: { name } }) => [name, new Disk(name)]));
    const definitions = new Map(
      all.map((each) => [each.contract.name, countEffects(each, disks.get(each.contract.name)!)]),
    );
    const open = new Map<string, OpenModule>();
    for (const [name, definition] of definitions) open.set(name, await openAlone(definition, disks.get(name)!));
    const signUp = async (name: string, phone?: string) => {
      const input = { name, email: `${name.toLowerCase()}@example.com`, password: 'correct horse', phone };
      const context = { requestId: name, caller: 'gateway', deadline: Number.POSITIVE_INFINITY };
      const member = (await open.get('members')!.dispatch('signUp', input, context)) as { id: string };
      return member.id;
    };
    return { definitions, disks, members: { Ada: await signUp('Ada', '+82 10 1234 5678'), Bob: await signUp('Bob') } };
  } finally {
    restore();
  }
}

function openAlone(definition: ModuleDefinition, disk: Disk): Promise<OpenModule> {
  const { recipients } = subscriptionMap(all);
  return openModule(definition, {
    openDatabase: (_module, migrations) => openQuietly(disk, migrations),
    bus: { recipients } as Bus,
    brokers: [],
    clock: new ManualClock(morning),
    log: silentLog,
    calls: () => () => Promise.reject(new Error('on the first day nobody calls')),
    settings: definition.settings?.parse({}) ?? {},
  });
}

/** Opens a database without delays and faults. It runs one unit of work at a time. */
function openQuietly(disk: Disk, migrations: Migration[]): Database {
  disk.migrate(migrations);
  const work = async <T>(task: (unit: Unit) => Promise<T>) => {
    const mark = { database: disk.module, open: true };
    disk.open(mark);
    const unit: Unit = { db: disk.writer, dialect: 'sqlite', afterCommit() {}, ahead() {} };
    const result = await currentUnit.run(mark, () => task(unit));
    disk.commit();
    return result;
  };
  return {
    ...{ dialect: 'sqlite', db: disk.reader, locks: noLocks, work, workAhead: work },
    async onDisk() {},
    async close() {},
  };
}
