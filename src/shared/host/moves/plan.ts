import { refusal } from '../../errors/index.ts';
import { type Placement, placementText, type ServiceProcess, type Topology } from '../../topology/index.ts';
import type { ServicePlacement, Services } from '../services.ts';

/** A place that a module can be moved from and to while the system serves: in this process, or in those that it starts. */
export type Place = Extract<Placement, { kind: 'in-process' }> | ServicePlacement;

/** Which copies of a module come, stay and go. */
export interface Plan {
  readonly module: string;
  readonly from: Place;
  readonly to: Place;
  /** Another release to run, if it is not this process's. */
  readonly program: string | undefined;
  /** Processes to be started; none when it comes into this process. */
  readonly comes: number;
  readonly stay: readonly ServiceProcess[];
  /** Processes to be ended; none when it leaves this process. */
  readonly go: readonly ServiceProcess[];
}

interface Asked {
  readonly module: string;
  readonly to: Placement;
  readonly program: string | undefined;
  /** Whether new copies are to be tried out beside those before. */
  readonly trial: boolean;
}

/** Throws a `conflict` that says why the module cannot be moved there. */
export function planOf(
  { module, to, program, trial }: Asked,
  from: Placement,
  services: Services,
  topology: Topology,
): Plan {
  const refuse = (why: string) => {
    throw refusal('conflict', why);
  };
  if (topology.only) refuse('a service moves nothing; ask the home process');
  const text = placementText(to);
  if (!movable(to))
    return refuse(
      `${text} is somebody else's to start: start it there, write it in the topology and restart; while the system serves, a module moves to in-process, http, grpc or queue`,
    );
  if (!movable(from))
    return refuse(
      `${module} runs at ${placementText(from)}, which somebody else started: stop it there, write its place in the topology and restart`,
    );
  const processes = services.of(module);
  const same = from.kind === 'service' && to.kind === 'service' && from.via === to.via && program === undefined;
  if (placementText(from) === text && program === undefined) refuse(`${module} is already placed ${text}`);
  if (to.kind === 'in-process' && program !== undefined)
    refuse('another release can only run in a process of its own: choose http, grpc or queue');
  if (trial && (to.kind !== 'service' || same))
    refuse('canary and mirror need copies in processes of their own that come in the place of others');
  const wanted = to.kind === 'service' ? to.instances : 0;
  const stay = same ? processes.slice(0, wanted) : [];
  const go = processes.filter((each) => !stay.includes(each));
  return { module, from, to, program, comes: wanted - stay.length, stay, go };
}

function movable(placement: Placement): placement is Place {
  return placement.kind === 'in-process' || placement.kind === 'service';
}
