import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { LogRecordExporter } from '@opentelemetry/sdk-logs';
import type { SpanExporter } from '@opentelemetry/sdk-trace-base';
import type { Link, Serve } from '../calls/index.ts';
import type { Clock } from '../context/index.ts';
import type { Contract } from '../contract/index.ts';
import type { DatabaseEngine } from '../database-engine/index.ts';
import type { Log } from '../telemetry/index.ts';
import type { OpenBus } from './broker-bus.ts';
import type { OpenSession } from './broker-session.ts';
import type { BrokerParameters } from './broker-url.ts';
import type { CallerTokens } from './caller-tokens.ts';
import type { Discovery, DnsName } from './discovery.ts';
import type { TlsMaterial } from './tls.ts';

/**
 * The functions that one technology offers to the system. `src/app.ts` lists the adapters of a product. The protocol of an address selects its
 * wire or broker, and a setting such as `OTEL_TRACES_EXPORTER` the exporters. For every other part, the first adapter in the list that offers it is used.
 * Clients of brokers and gRPC load on first use. `docs/architecture.md` says how to add a broker.
 */
export interface Adapter {
  readonly name: string;
  /** Opens the databases of modules that keep their data in this process's data folder. */
  readonly openEngine?: (dataDir: string) => DatabaseEngine;
  readonly wire?: Wire;
  readonly broker?: Broker;
  /** Opens the listener for other processes and for operators. */
  readonly openInternalListener?: (dependencies: InternalListenerDependencies) => InternalListener;
  /** Finds the instances of a module by a name in DNS. Throws a `StartError` for a wrong `server`. */
  readonly findByName?: (name: DnsName, server: string | undefined, dependencies: DiscoveryDependencies) => Discovery;
  /** Finds the instances of a module in a file of addresses. */
  readonly findInFile?: (file: string, dependencies: DiscoveryDependencies) => Discovery;
  readonly spanExporter?: SpanExporterPort;
  readonly logExporter?: LogExporterPort;
  /** Describes a contract for programs in other languages. */
  readonly describe?: (contract: Contract) => Promise<string>;
}

/** Describes how to reach a process that runs a module. */
export interface Way {
  /** The protocol selects the transport: `https://10.0.0.7:4105`, `grpc://payments:4102`, `amqp://broker`. */
  readonly address: string;
  readonly module: string;
  readonly contract: Contract;
  readonly tokens: CallerTokens;
  readonly tls: TlsMaterial;
  /** Called when the process at the address is about to stop. */
  readonly onLeaving: () => void;
}

/** A wire. It carries calls between a caller and an address of the callee. */
export interface Wire {
  /** The protocols of its addresses, such as `grpc:` and `grpcs:` with TLS. The first one, without the colon, is the wire's name in placements. */
  readonly protocols: readonly [plain: string, secure: string];
  readonly connect: (way: Way) => Link;
  /** Takes its calls. Absent when the internal listener takes them. */
  readonly listener?: {
    /** The setting for its port, such as `GRPC_PORT`, and its description. */
    readonly setting: string;
    readonly about: string;
    readonly open: (dependencies: CallListenerDependencies) => Promise<CallListener>;
  };
}

/** A broker. It carries events, calls, or both. */
export interface Broker {
  /** The protocols of its URLs, such as `amqp:`. Messages to operators show the first. */
  readonly protocols: readonly [string, ...string[]];
  /** A complete URL, for messages to operators: `amqp://user:secret@broker:5672`. */
  readonly example: string;
  readonly parameters?: BrokerParameters;
  readonly events?: {
    /** The name of the broker in the rows of outboxes; `recipients()` of its bus returns it. Never change it: other releases read these rows. */
    readonly recipient: string;
    readonly openBus: OpenBus;
  };
  /** Opens a session for calls. */
  readonly openSession?: OpenSession;
}

/** Sends spans to a server. */
export interface SpanExporterPort {
  /** Its name in `OTEL_TRACES_EXPORTER`. */
  readonly name: string;
  /** The environment variables that enable it when `OTEL_TRACES_EXPORTER` is not set. */
  readonly askedForBy: readonly string[];
  /** Opens the exporter with the standard `OTEL_*` variables. Throws a `StartError` when one of them is invalid. */
  readonly open: (env: Readonly<Record<string, string | undefined>>) => Promise<SpanExporter>;
}

/** Sends log lines to a server. */
export interface LogExporterPort {
  /** Its name in `OTEL_LOGS_EXPORTER`. No other variable enables it. */
  readonly name: string;
  /** Opens the exporter with the standard `OTEL_*` variables. Throws a `StartError` when one of them is invalid. */
  readonly open: (env: Readonly<Record<string, string | undefined>>) => Promise<LogRecordExporter>;
}

export interface DiscoveryDependencies {
  readonly clock: Clock;
  readonly log: Log;
}

interface ListenerDependencies {
  readonly serve: Serve;
  readonly tokens: CallerTokens;
  readonly log: Log;
  readonly tls?: TlsMaterial;
  /** Maximum time in which a peer may read nothing of an answer, in milliseconds. */
  readonly slowReaderMs?: number;
}

export interface InternalListenerDependencies extends ListenerDependencies {
  /** Answers every request that is neither a call nor a pushed event: `/ops/…`, `/healthz`. */
  readonly operate: (request: IncomingMessage, response: ServerResponse) => Promise<void>;
}

/** The listener for the other processes; never the public one. */
export interface InternalListener {
  readonly server: Server;
  /** Asks all callers to make their next calls elsewhere, and serves the calls in flight. */
  leave(): void;
}

export interface CallListenerDependencies extends ListenerDependencies {
  /** The contracts of the modules that are served here. */
  readonly modules: readonly Contract[];
  /** Whether only a caller with a service token may list the operations. */
  readonly guardReflection?: boolean;
}

export interface CallListener {
  /** Listens, and resolves with the port. Rejects with a `StartError` that names `setting`, the setting for the address. */
  listen(host: string, port: number, setting?: string): Promise<number>;
  /** Asks all callers to make their next calls elsewhere, and still serves the calls that arrive. */
  leave(): void;
  /** Accepts no new calls, waits at most one second for the calls in flight, and aborts the rest. */
  close(): Promise<void>;
}
