import type { Directory } from '../topology/index.ts';
import type { Peers } from '../transport/index.ts';

const withinMs = 500;

/** Answers which modules cannot be reached now: those without an address, and those where nobody answers at theirs. */
export type WhoIsAway = () => Promise<string[]>;

/** Whoever asks while an answer is on its way gets the same one, so that asking often costs the other processes little. */
export function whoIsAway(modules: readonly string[], directory: Directory, peers: Peers): WhoIsAway {
  let asked: Promise<string[]> | undefined;
  const ask = async () => {
    const present = await Promise.all(modules.map((module) => isPresent(module, directory, peers)));
    return modules.filter((_, index) => !present[index]);
  };
  return () => {
    asked ??= ask().finally(() => {
      asked = undefined;
    });
    return asked;
  };
}

async function isPresent(module: string, directory: Directory, peers: Peers): Promise<boolean> {
  const at = directory.of(module);
  if (at.state !== 'there') return at.state === 'here';
  try {
    const signal = AbortSignal.timeout(withinMs);
    const answer = await peers.at(at.address).request({ method: 'GET', path: '/healthz', signal });
    await answer.body.dump();
    return answer.statusCode === 200;
  } catch {
    return false;
  }
}
