import type { ICruiseOptions, IForbiddenRuleType, IResolveOptions } from 'dependency-cruiser';

/** Maps each name to the names that it may import, or to its homes. */
export type Table = Readonly<Record<string, readonly string[]>>;

/** The architecture in .dependency-cruiser.js. */
export interface Architecture {
  readonly kernel: Table;
  readonly control: Table;
  readonly controlParts: readonly string[];
  readonly controlForParts: readonly string[];
  readonly kernelForAdapters: readonly string[];
  readonly kernelForCompositions: readonly string[];
  readonly kernelForModules: readonly string[];
}

/** A rule for dependency-cruiser, with a name and an instruction for the developer. */
export type Rule = IForbiddenRuleType & { readonly name: string; readonly comment: string };

/** The export of .dependency-cruiser.js. */
export interface Configuration {
  readonly forbidden: Rule[];
  readonly options: ICruiseOptions & { readonly enhancedResolveOptions: Partial<IResolveOptions> };
}

/** A violation of the architecture in the sources. */
export interface Violation {
  readonly rule: string;
  readonly from: string;
  readonly line?: number;
  readonly to?: string | undefined;
  /** The mistake, and its solution. */
  readonly why: string;
  /** The line that would allow it. */
  readonly add?: string | undefined;
}
