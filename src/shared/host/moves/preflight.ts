import { statfs } from 'node:fs/promises';
import { createServer } from 'node:net';
import { resolve } from 'node:path';
import { carriesCalls } from '../../address/index.ts';
import { messageOf, refusal } from '../../errors/index.ts';
import { type Directory, environmentName, refuseUnwritable, type Topology } from '../../topology/index.ts';
import type { Copy } from '../copies.ts';
import { refuseForeignArtifact } from './artifacts.ts';
import type { Plan } from './plan.ts';

const leastFreeBytes = 64 * 1024 * 1024;
/** A module that has much to do is moved all the same: it may be why. */
const answersWithinMs = 5_000;

export interface PreflightParts {
  readonly topology: Topology;
  readonly directory: Directory;
  /** A copy of the module where it is now. */
  readonly copy: Copy;
}

/** Throws a `conflict` for what would keep the move from succeeding, or from outliving a restart, before anything is changed. */
export async function preflight(plan: Plan, forNow: boolean, parts: PreflightParts): Promise<object> {
  const { module, to } = plan;
  const { topology } = parts;
  const refuse = (why: string) => {
    throw refusal('conflict', why);
  };
  if (!forNow) refuseForgetting(plan, topology);
  if (to.kind === 'service' && to.via === 'queue' && !carriesCalls(topology.settings.BUS))
    refuse(`queue goes over the broker of BUS, and BUS is ${topology.settings.BUS.split(':')[0]}`);
  if (to.kind === 'service' && plan.comes > 0) {
    if (to.artifact !== undefined) refuseForeignArtifact(to.artifact, topology.settings.ARTIFACTS);
    if (to.port !== undefined && !(await isFree(to.port)))
      refuse(`port ${to.port} is in use; choose another, or leave it out for a free one`);
  }
  const freeBytes = await freeIn(topology.settings.DATA_DIR);
  if (freeBytes < leastFreeBytes)
    refuse(`the disk of ${topology.settings.DATA_DIR} has ${Math.floor(freeBytes / 1024)} KiB left; make room first`);
  if (!(await parts.directory.answers(module, answersWithinMs)))
    refuse(`${module} does not answer where it is now (${parts.copy.name}); end that process, and it is started again`);
  const stuck = await parts.copy.stuckSagas();
  if (stuck > 0)
    refuse(
      `${stuck} of the sagas of ${module} need a person (npm run sagas -- --state stuck); resume or settle them first`,
    );
  return { freeBytes };
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
