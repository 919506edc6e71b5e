// What a check of npx kerf doctor is, and how checks run.
import type { Prerequisites } from '../../src/shared/control/admin-contract/index.ts';
import { messageOf } from '../setup.mjs';
import type { System } from './system.ts';

/** One line of the result: what was looked at, and what to do about it. */
export interface Finding {
  readonly level: 'ok' | 'warning' | 'error';
  readonly what: string;
  /** Absent when there is nothing to do. */
  readonly todo?: string;
}

export const ok = (what: string): Finding => ({ level: 'ok', what });
export const warning = (what: string, todo: string): Finding => ({ level: 'warning', what, todo });
export const error = (what: string, todo: string): Finding => ({ level: 'error', what, todo });

/** What the checks look at. A part that cannot be had is undefined; one check reports the reason. */
export interface Subject {
  readonly settings: Prerequisites | undefined;
  /** Why the settings cannot be used. */
  readonly whyNoSettings?: string;
  readonly system: System | undefined;
  /** Why a system that may run does not answer; undefined when none runs. */
  readonly whyNoSystem?: string;
}

type Findings = readonly Finding[] | Promise<readonly Finding[]>;

export interface Check {
  readonly name: string;
  look(subject: Subject): Findings;
}

/** A check that can always be made. */
export const always = (name: string, look: (subject: Subject) => Findings): Check => ({ name, look });

/** A check of what the settings name. Without usable settings, it finds nothing. */
export const ofSettings = (name: string, look: (settings: Prerequisites) => Findings): Check => ({
  name,
  look: ({ settings }) => (settings ? look(settings) : []),
});

/** A check of the running system. Without one, it finds nothing. */
export const ofSystem = (name: string, look: (system: System) => Findings): Check => ({
  name,
  look: ({ system }) => (system ? look(system) : []),
});

const withinMs = 5_000;

export type NamedFinding = Finding & { readonly check: string };

/** Makes all checks at once, and returns their findings in the order of the checks. A check that fails or takes over 5 s is an error. */
export async function makeChecks(checks: readonly Check[], subject: Subject, ms = withinMs): Promise<NamedFinding[]> {
  const found = checks.map(async ({ name, look }) => {
    const findings = await inTime(async () => look(subject), ms).catch((failed: unknown) => [
      error(`this check failed: ${messageOf(failed)}`, 'look at it by hand; the other checks went on'),
    ]);
    return findings.map((finding) => ({ check: name, ...finding }));
  });
  return (await Promise.all(found)).flat();
}

/** Resolves like `work`. Rejects when it takes longer than `ms`. */
export function inTime<T>(work: () => Promise<T>, ms = withinMs): Promise<T> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => late.reject(new Error(`it did not end within ${ms / 1_000} s`)), ms);
  return Promise.race([work(), late.promise]).finally(() => clearTimeout(timer));
}
