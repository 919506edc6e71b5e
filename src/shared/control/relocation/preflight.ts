import { statfs } from 'node:fs/promises';
import { createServer } from 'node:net';
import { resolve } from 'node:path';
import { type NamedMigration, whyNotLive } from '../../kernel/database-engine/index.ts';
import { messageOf, refusal } from '../../kernel/errors/index.ts';
import type { Adapters } from '../adapter-list/index.ts';
import { wires } from '../admin-contract/index.ts';
import type { Directory } from '../routing/index.ts';
import type { Replica } from '../supervisor/index.ts';
import { environmentName, refuseMissingAdapters, refuseUnwritable, type Topology } from '../topology/index.ts';
import { refuseForeignArtifact } from './artifacts.ts';
import type { Plan } from './plan.ts';

const leastFreeBytes = 64 * 1024 * 1024;
/** Leaves time for a busy module, which may move too: its load may be the reason for the move. */
const answersWithinMs = 5_000;

export interface PreflightDependencies {
  readonly topology: Topology;
  readonly directory: Directory;
  readonly adapters: Adapters;
  /** A replica of the module in its current place. */
  readonly replica: Replica;
  /** Returns the migrations of the new release; `undefined` when that does not list them. */
  readonly coming: () => Promise<readonly NamedMigration[] | undefined>;
}

/** Throws a `conflict`, before anything changes, when the move could not succeed or would not survive a restart. */
export async function preflight(plan: Plan, forNow: boolean, parts: PreflightDependencies): Promise<object> {
  const { module, to } = plan;
  const { topology } = parts;
  const refuse = (why: string) => {
    throw refusal('conflict', why);
  };
  if (!forNow) refuseForgetting(plan, topology);
  if (to.kind === 'service' && to.via === 'queue' && !parts.adapters.carriesCalls(topology.settings.BUS))
    refuse(
      `queue goes over the broker of BUS, and BUS is ${topology.settings.BUS.split(':')[0]}; start Kerf with BUS as ${parts.adapters.brokersForCalls}, or choose ${wires.join(' or ')}`,
    );
  try {
    refuseMissingAdapters([[module, to]], parts.adapters);
  } catch (error) {
    refuse(messageOf(error));
  }
  if (to.kind === 'service' && plan.comes > 0) {
    if (to.artifact !== undefined) refuseForeignArtifact(to.artifact, topology.settings.ARTIFACTS);
    if (to.port !== undefined && !(await isFree(to.port)))
      refuse(`port ${to.port} is in use; choose another, or leave it out for a free one`);
  }
  const freeBytes = await freeIn(topology.settings.DATA_DIR);
  if (freeBytes < leastFreeBytes)
    refuse(`the disk of ${topology.settings.DATA_DIR} has ${Math.floor(freeBytes / 1024)} KiB left; make room first`);
  if (!(await parts.directory.answers(module, answersWithinMs)))
    refuse(
      `${module} does not answer where it is now (${parts.replica.name}); end that process, and it is started again`,
    );
  const stuck = await parts.replica.stuckSagas();
  if (stuck > 0)
    refuse(
      `${stuck} of the sagas of ${module} need a person (npx kerf sagas list --state stuck); resume or settle them first`,
    );
  if (plan.anotherRelease) await refuseMigration(module, parts);
  return { freeBytes };
}

/**
 * Refuses a release with migrations that cannot run while the system serves. Both releases use the same data for a while, and the old
 * one again when the move is undone. If the new release does not list its migrations, the database itself refuses them: it applies no
 * such migration while another process has it open.
 */
async function refuseMigration(module: string, { replica, coming }: PreflightDependencies): Promise<void> {
  const candidate = await coming();
  if (!candidate) return;
  const applied = await replica.migrations().catch((cause: unknown) => {
    const why = `${replica.name} does not say which migrations were applied to the data of ${module}`;
    throw refusal('conflict', `${why}; stop the system and start the new release`, {}, { cause });
  });
  const why = whyNotLive(applied, candidate);
  if (why) throw refusal('conflict', `the new release of ${module} cannot come while the system serves: ${why}`);
}

/** Refuses a move that the next start would not read: the module would silently return to its old place. */
function refuseForgetting({ module }: Plan, { settings, saidByEnvironment }: Topology): void {
  const variable = `MODULE_${environmentName(module)}`;
  const cure = 'or let the move last until the next start only (--for-now)';
  if (saidByEnvironment(variable))
    throw refusal('conflict', `${variable} in the environment would win at the next start; remove it there, ${cure}`);
  try {
    refuseUnwritable(settings.TOPOLOGY);
  } catch (error) {
    throw refusal('conflict', `${settings.TOPOLOGY} cannot be written: ${messageOf(error)}; make it writable, ${cure}`);
  }
}

async function freeIn(folder: string): Promise<number> {
  const { bavail, bsize } = await statfs(resolve(folder));
  return bavail * bsize;
}

/** Resolves with whether the port is free on the loopback address, where the new process will listen. */
function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer().once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}
