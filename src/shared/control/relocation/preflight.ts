import { statfs } from 'node:fs/promises';
import { createServer } from 'node:net';
import { resolve } from 'node:path';
import { carriesCalls, type Directory } from '../../kernel/calls/index.ts';
import { type NamedMigration, whyNotLive } from '../../kernel/database/index.ts';
import { messageOf, refusal } from '../../kernel/errors/index.ts';
import type { Replica } from '../supervisor/index.ts';
import { environmentName, refuseUnwritable, type Topology } from '../topology/index.ts';
import { refuseForeignArtifact } from './artifacts.ts';
import type { Plan } from './plan.ts';

const leastFreeBytes = 64 * 1024 * 1024;
/** A module that has much to do is moved all the same: it may be why. */
const answersWithinMs = 5_000;

export interface PreflightDependencies {
  readonly topology: Topology;
  readonly directory: Directory;
  /** A replica of the module where it is now. */
  readonly replica: Replica;
  /** The migrations of the release that comes; `undefined` when it does not say. */
  readonly coming: () => Promise<readonly NamedMigration[] | undefined>;
}

/** Throws a `conflict` for what would keep the move from succeeding, or from outliving a restart, before anything is changed. */
export async function preflight(plan: Plan, forNow: boolean, parts: PreflightDependencies): Promise<object> {
  const { module, to } = plan;
  const { topology } = parts;
  const refuse = (why: string) => {
    throw refusal('conflict', why);
  };
  if (!forNow) refuseForgetting(plan, topology);
  if (to.kind === 'service' && to.via === 'queue' && !carriesCalls(topology.settings.BUS))
    refuse(
      `queue goes over the broker of BUS, and BUS is ${topology.settings.BUS.split(':')[0]}; start Kerf with BUS as amqp://… or nats://…, or choose http or grpc`,
    );
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
      `${stuck} of the sagas of ${module} need a person (npm run sagas -- --state stuck); resume or settle them first`,
    );
  if (plan.anotherRelease) await refuseMigration(module, parts);
  return { freeBytes };
}

/**
 * Both releases work on the same data for a while, and the one before again when the move is taken back. One that does not say what its migrations are
 * is held by the database itself, which applies none of these while another process has it open.
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

/** What a restart would read must be what was moved, or the module would be back where it was without a word. */
function refuseForgetting({ module }: Plan, { settings, saidByEnvironment }: Topology): void {
  const variable = `MODULE_${environmentName(module)}`;
  const cure = 'or ask for the move to hold until the next start only (--for-now)';
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

/** Where the new process will listen: on this machine alone. */
function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer().once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}
