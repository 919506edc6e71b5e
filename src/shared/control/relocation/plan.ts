import { refusal } from '../../kernel/errors/index.ts';
import { viaChoice, wires } from '../admin-contract/index.ts';
import type { ModuleProcess, ModuleProcesses } from '../supervisor/index.ts';
import { type Placement, placementText, type ServicePlacement } from '../topology/index.ts';

/** A placement that a module can move from and to while the system serves: in this process, or in module processes. */
export type MovablePlacement = Extract<Placement, { kind: 'in-process' }> | ServicePlacement;

/** The replicas of a module that come, stay and go. */
export interface Plan {
  readonly module: string;
  readonly from: MovablePlacement;
  readonly to: MovablePlacement;
  /** Whether the new replicas may be of another release, which may have other timers. */
  readonly anotherRelease: boolean;
  /** Whether old and new replicas take their calls from the same queue: the move must then tell them when to take calls. */
  readonly sameQueue: boolean;
  /** Number of processes to start; 0 when the module moves into this process. */
  readonly comes: number;
  readonly stay: readonly ModuleProcess[];
  /** Processes to end; none when the module leaves this process. */
  readonly go: readonly ModuleProcess[];
}

interface PlanOrder {
  readonly module: string;
  readonly to: Placement;
  /** Whether all processes are replaced, even when the placement stays the same. */
  readonly again: boolean;
  /** Whether new replicas are tried out beside the old ones. */
  readonly trial: boolean;
}

/** Plans a move. Throws a `conflict` that says why the module cannot move there. */
export function planOf(
  { module, to, again, trial }: PlanOrder,
  from: Placement,
  moduleProcesses: ModuleProcesses,
): Plan {
  const refuse = (why: string) => {
    throw refusal('conflict', why);
  };
  const text = placementText(to);
  if (!movable(to))
    return refuse(
      `Kerf starts no processes at ${text}: start the process there, write that address into the topology and restart; while the system serves, a module moves to in-process, ${viaChoice}`,
    );
  if (!movable(from))
    return refuse(
      `${module} runs at ${placementText(from)}, where Kerf did not start it: stop it there, write its new place into the topology and restart`,
    );
  // Ready processes stay in preference to others.
  const ready = (process: ModuleProcess) => Number(process.ready !== undefined);
  const processes = moduleProcesses.of(module).toSorted((one, other) => ready(other) - ready(one));
  if (placementText(from) === text && !(again && to.kind === 'service')) refuse(`${module} is already placed ${text}`);
  const same = !again && from.kind === 'service' && to.kind === 'service' && alike(from, to);
  if (trial && (to.kind !== 'service' || same))
    refuse('canary and mirror need replicas in processes of their own that come in the place of others');
  const sameQueue = viaQueue(from) && viaQueue(to);
  if (trial && sameQueue)
    refuse(
      `canary and mirror cannot tell replicas apart that take from the same queue; move it to ${wires.join(' or ')} first`,
    );
  const wanted = to.kind === 'service' ? to.instances : 0;
  const stay = same ? processes.slice(0, wanted) : [];
  const go = processes.filter((each) => !stay.includes(each));
  const anotherRelease = again || artifactOf(from) !== artifactOf(to);
  return { module, from, to, anotherRelease, sameQueue, comes: wanted - stay.length, stay, go };
}

function viaQueue(place: MovablePlacement): boolean {
  return place.kind === 'service' && place.via === 'queue';
}

function artifactOf(place: MovablePlacement): string | undefined {
  return place.kind === 'service' ? place.artifact : undefined;
}

/** Whether processes of one placement can serve for the other. */
function alike(one: ServicePlacement, other: ServicePlacement): boolean {
  return one.via === other.via && one.artifact === other.artifact && one.port === other.port;
}

function movable(placement: Placement): placement is MovablePlacement {
  return placement.kind === 'in-process' || placement.kind === 'service';
}
