import { type FSWatcher, readFileSync, watch } from 'node:fs';
import { basename, dirname } from 'node:path';
import { background, type Clock } from '../../kernel/context/index.ts';
import { messageOf } from '../../kernel/errors/index.ts';
import { addressExample, type Discovery, LastAddresses, type Listener, readAddress } from '../../kernel/ports/index.ts';
import type { Log } from '../../kernel/telemetry/index.ts';

export interface AddressFile {
  readonly file: string;
  readonly clock: Clock;
  readonly log: Log;
}

/** Poll interval, for file systems that report no changes, such as some network file systems. */
const pollMs = 5_000;

/**
 * Discovers the HTTP or HTTPS addresses in a file, one per line. Ignores blank lines and text after a `#`. A change takes effect at
 * once. When the file is missing, empty or invalid, the previous addresses stay, and the log states the reason once.
 */
export function fileAddresses(parts: AddressFile): Discovery {
  return new FileAddresses(parts);
}

class FileAddresses implements Discovery {
  #told: LastAddresses | undefined;
  #watcher: FSWatcher | undefined;
  #cancelPoll = () => {};
  #trouble: string | undefined;
  private readonly parts: AddressFile;

  constructor(parts: AddressFile) {
    this.parts = parts;
  }

  watch(listener: Listener): void {
    this.#told = new LastAddresses(listener);
    this.#poll();
  }

  dead(): void {
    this.#look();
  }

  stop(): void {
    this.#told = undefined;
    this.#cancelPoll();
    this.#closeWatcher();
  }

  #poll(): void {
    this.#cancelPoll = this.parts.clock.after(pollMs, () => this.#poll());
    // A folder that was removed and created again is a new folder. The old watcher does not see its changes.
    if (this.#trouble) this.#closeWatcher();
    this.#watcher ??= this.#openWatcher();
    this.#look();
  }

  #look(): void {
    if (!this.#told) return;
    const { file, log } = this.parts;
    const seen = look(file);
    if (seen.why !== this.#trouble) {
      if (seen.why) log.warn({ file, why: seen.why }, 'the addresses in a file cannot be taken; those before are kept');
      else log.info({ file }, 'the addresses in a file are followed again');
    }
    this.#trouble = seen.why;
    if (seen.why === undefined) this.#told.tell(seen.addresses);
    else this.#told.tellNoneYet();
  }

  /** Watches the folder instead of the file, because editors and Kubernetes replace the file. */
  #openWatcher(): FSWatcher | undefined {
    const { file } = this.parts;
    // Kubernetes replaces `..data`, the folder that its links point to.
    const ours = new Set([null, basename(file), '..data']);
    try {
      return background
        .run(() => watch(dirname(file), { persistent: false }))
        .on('change', (_, name) => ours.has(name as string | null) && this.#look())
        .on('error', () => this.#closeWatcher());
    } catch {
      return undefined; // The folder is missing, or no watcher is available. The poll reads the file and tries again.
    }
  }

  #closeWatcher(): void {
    this.#watcher?.close();
    this.#watcher = undefined;
  }
}

type Seen = { readonly addresses: readonly string[]; readonly why?: undefined } | { readonly why: string };

function look(file: string): Seen {
  try {
    return { addresses: addressesIn(textOf(file)) };
  } catch (error) {
    return { why: messageOf(error) };
  }
}

function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new Error(`${messageOf(error)}; put the file there, and let this process read it`);
  }
}

function addressesIn(text: string): string[] {
  const found = text.split('\n').flatMap((line, index) => {
    const entry = line.replace(/#.*/, '').trim();
    if (!entry) return [];
    try {
      return [httpAddress(entry)];
    } catch (error) {
      throw new Error(`line ${index + 1}: ${messageOf(error)}`);
    }
  });
  if (found.length === 0) throw new Error(`it names no address; write ${addressExample}, one a line`);
  return found;
}

/** Reads an address and refuses other wires: a module placed by a file opens its HTTP listener before any process reads the file. */
function httpAddress(text: string): string {
  const address = readAddress(text);
  const { protocol } = new URL(address);
  if (protocol === 'http:' || protocol === 'https:') return address;
  const wire = protocol.slice(0, -1);
  const cure = `write such as http://10.0.0.7:4105, or have the placement itself list what is called by ${wire}`;
  throw new Error(`${address} is an address by ${wire}, and what a file lists is called by HTTP; ${cure}`);
}
