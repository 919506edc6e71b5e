import type { Directory } from '../topology/index.ts';

/** Answers which modules cannot be reached now: those that run nowhere, and those of which no instance answers. */
export type WhoIsAway = () => Promise<string[]>;

/** Whoever asks while an answer is on its way gets the same one, so that asking often costs the other processes little. */
export function whoIsAway(modules: readonly string[], directory: Directory): WhoIsAway {
  let asked: Promise<string[]> | undefined;
  const ask = async () => {
    const present = await Promise.all(modules.map((module) => directory.answers(module)));
    return modules.filter((_, index) => !present[index]);
  };
  return () => {
    asked ??= ask().finally(() => {
      asked = undefined;
    });
    return asked;
  };
}
