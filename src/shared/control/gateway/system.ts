import type { CallSource } from '../../kernel/calls/index.ts';
import type { Contract } from '../../kernel/contract/index.ts';
import type { Resources } from '../../kernel/http-api/index.ts';
import type { TrustedProxies } from '../http-server/index.ts';
import type { AccessControl, ProviderSettings } from '../identity/index.ts';
import type { Logs } from '../logs/index.ts';
import type { Directory } from '../routing/index.ts';
import type { CorsSettings } from './cross-origin.ts';
import type { EndedRequest } from './request-end.ts';
import type { ContinueTraces } from './request-span.ts';

/** The system behind the gateway, as the gateway uses it. */
export interface System {
  readonly calls: CallSource;
  readonly directory: Pick<Directory, 'routeTo'>;
  readonly logs: Pick<Logs, 'of' | 'writes'>;
  /** Learns of each public request that has ended. */
  readonly openControl?: { readonly requestEnded?: ((request: EndedRequest) => void) | undefined };
  readonly topology: { readonly settings: GatewaySettings };
  readonly access: AccessControl;
  readonly definitions: readonly PublicModule[];
  /** The modules that run in this process, by name. */
  readonly open: { has(module: string): boolean };
  /** Whether this process is about to stop. */
  readonly stopping: boolean;
  /** How late the event loop of this process runs. */
  readonly loopDelay: { readonly longestMs: number; readonly blocked: boolean };
  /** Resolves with the current conditions of all modules. */
  conditions(): Promise<Conditions>;
}

/** The names of the modules in each condition. A module may be in several lists. */
export interface Conditions {
  /** Calls reach no process of the module. */
  readonly away: readonly string[];
  /** The module's database accepts no writes; with the reason. */
  readonly unwritable: ReadonlyMap<string, string>;
  /** The module's process is starting, for the first time or again. */
  readonly starting: readonly string[];
  /** The event loop of the module's process is blocked. */
  readonly unresponsive: readonly string[];
  /** All processes of the module are about to stop. */
  readonly draining: readonly string[];
  /** An event of the module could not be delivered for a minute. */
  readonly undelivered: readonly string[];
}

interface PublicModule {
  readonly contract: Contract;
  readonly routes?: ((self: never) => Resources) | undefined;
}

export interface GatewaySettings extends CorsSettings, ProviderSettings {
  readonly PORT: number;
  readonly HOST: string;
  readonly DATA_DIR: string;
  readonly REQUEST_TIMEOUT_MS: number;
  readonly SLOW_READER_TIMEOUT_MS: number;
  readonly RATE_LIMIT_PER_MINUTE: number;
  readonly TRACE_CONTINUE: ContinueTraces;
  readonly FALLBACK_URL?: string | undefined;
  readonly TRUSTED_PROXIES?: TrustedProxies | undefined;
}
