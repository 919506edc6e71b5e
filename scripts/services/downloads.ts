import { homedir } from 'node:os';
import { join } from 'node:path';

/** Returns the folder of a download or a build, such as `kafka-4.1.1`. All checkouts of this user share it, so its name has the version. */
export function downloadFolder(name: string): string {
  return join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'kerf', 'services', name);
}
