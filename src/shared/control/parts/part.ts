import type { CallCounter, CallSource, RoadStep, ServeStep } from '../../kernel/calls/index.ts';
import type { Operation } from '../../kernel/contract/index.ts';
import type { ModuleDefinition } from '../../kernel/module/index.ts';
import type { KernelListener, Log } from '../../kernel/telemetry/index.ts';
import type { AdminRoutes, FanOut } from '../admin-api/index.ts';
import type { EndedRequest } from '../gateway/index.ts';
import type { Identity } from '../identity/index.ts';
import type { Logs } from '../logs/index.ts';
import type { Relocations, Trials } from '../relocation/index.ts';
import type { Directory } from '../routing/index.ts';
import type { ModuleHere, ModuleProcesses, SharedState } from '../supervisor/index.ts';
import type { Topology } from '../topology/index.ts';
import type { MetricSource } from './metric-family.ts';

/** A part of the control ring that a product may leave out. `src/app.ts` lists the parts of a product. */
export interface ControlPart {
  readonly name: string;
  /** Opens the part in a process, before any module opens there. */
  open(around: Pick<PartDependencies, 'topology' | 'identity' | 'logs' | 'log' | 'definitions'>): OpenPart;
}

/** The additions of a part to a process. */
export interface OpenPart {
  /** Makes the step of the road that watches the calls of a caller to an operation. */
  readonly observer?: (caller: string, operation: Operation) => RoadStep;
  /** The step of the road in which calls meet faults. */
  readonly faults?: RoadStep;
  /** Makes the step of the road that watches the calls to an operation that a module of this process serves. */
  readonly server?: (operation: Operation) => ServeStep;
  /** Counts the calls of this process. */
  readonly counter?: CallCounter;
  /** Learns what the kernel does beside calls. */
  readonly listener?: KernelListener;
  /** Learns of each public request that has ended. */
  readonly requestEnded?: (request: EndedRequest) => void;
  /** Numbers about the part, for a part that shows metrics. */
  readonly metrics?: MetricSource;
  /** State of the part that the home process sends to its module processes. */
  readonly shared?: SharedState;
  /** State of the part that a module process sends to the home process when it ends while the system continues. */
  readonly finalState?: SharedState;
  readonly trials?: Trials;
  /** Adds routes that ask for no operator token. The part protects them itself. */
  serveOpenly?(app: AdminRoutes, around: PartDependencies): void;
  /** Adds routes for operators. */
  serve?(app: AdminRoutes, fanOut: FanOut, around: PartDependencies): void;
  /** Called when all modules are closed. */
  close?(): Promise<void>;
}

/** The process around a part. */
export interface PartDependencies {
  readonly topology: Topology;
  readonly identity: Identity;
  /** The logs of the process. A part tells them its secrets, so that no line shows a secret. */
  readonly logs: Logs;
  readonly log: Log;
  readonly definitions: readonly ModuleDefinition[];
  readonly directory: Directory;
  readonly calls: CallSource;
  readonly open: ReadonlyMap<string, ModuleHere>;
  readonly moduleProcesses: ModuleProcesses;
  readonly relocations: Relocations;
  /** The numbers of all parts. */
  readonly metrics: readonly MetricSource[];
  /** Sends the shared state of the part to the module processes. */
  share(): void;
}
