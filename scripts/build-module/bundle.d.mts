export interface Artifact {
  /** `atStart`: whether it is read whenever the artifact starts, or only by who needs it. */
  readonly files: {
    readonly name: string;
    readonly bytes: number;
    readonly atStart: boolean;
    readonly sources: string[];
  }[];
  readonly packages: Record<string, string>;
}
export const moduleNames: string[];
export function bundleModule(name: string, folder: string): Promise<Artifact>;
/** What of the sources has no place in the artifact of a module. */
export function strangers(
  name: string,
  artifact: { files: readonly Pick<Artifact['files'][number], 'sources'>[] },
): string[];
