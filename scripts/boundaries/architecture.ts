import type { ICruiseOptions, IForbiddenRuleType, IResolveOptions } from 'dependency-cruiser';

/** Each name with the names that it may import, or with its homes. */
export type Table = Readonly<Record<string, readonly string[]>>;

/** The architecture as .dependency-cruiser.js says it. */
export interface Architecture {
  readonly kernel: Table;
  readonly control: Table;
  readonly controlParts: readonly string[];
  readonly controlForParts: readonly string[];
  readonly kernelForAdapters: readonly string[];
  readonly kernelForCompositions: readonly string[];
  readonly kernelForModules: readonly string[];
}

/** A rule as dependency-cruiser takes it, which always has a name and says what to do. */
export type Rule = IForbiddenRuleType & { readonly name: string; readonly comment: string };

/** What .dependency-cruiser.js says to dependency-cruiser. */
export interface Configuration {
  readonly forbidden: Rule[];
  readonly options: ICruiseOptions & { readonly enhancedResolveOptions: Partial<IResolveOptions> };
}

/** A place where the sources differ from the architecture. */
export interface Violation {
  readonly rule: string;
  readonly from: string;
  readonly line?: number;
  readonly to?: string | undefined;
  /** What is wrong, and what to do. */
  readonly why: string;
  /** The line that would allow it. */
  readonly add?: string | undefined;
}
