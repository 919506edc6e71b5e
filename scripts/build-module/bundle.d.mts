export interface Artifact {
  readonly files: { readonly name: string; readonly bytes: number; readonly sources: string[] }[];
  readonly packages: Record<string, string>;
}
export const moduleNames: string[];
export function bundleModule(name: string, folder: string): Promise<Artifact>;
/** What of the sources has no place in the artifact of a module. */
export function strangers(name: string, artifact: Pick<Artifact, 'files'>): string[];
