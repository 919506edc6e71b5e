import { closeSync, mkdirSync, openSync, statSync, write, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { background } from '../../kernel/context/index.ts';
import { prettyLine } from './pretty.ts';

/** Takes finished log lines, each with its line feed. `write` neither waits nor throws. */
export interface LogDestination {
  write(line: string): void;
}

/** A pipe takes this much in one piece, so that lines of several processes do not mix. */
const maxBatch = 4_096;
/** Maximum number of characters that wait for a slow destination. */
const maxWaiting = 4 * 1024 * 1024;
const againMs = 50;
const lookEveryMs = 1_000;
/** After this time, a write that has not ended counts as stuck. */
const stuckMs = 100;
const lineFeed = 10;

/** Writes to a file descriptor, as `write` of `node:fs` does. */
type Write = (
  fd: number,
  bytes: Uint8Array,
  done: (error: NodeJS.ErrnoException | null, written: number) => void,
) => void;

/** The lines being written. */
interface Batch {
  /** What is still to be written. */
  bytes: Uint8Array;
  readonly lines: number;
  readonly since: number;
  /** Whether the destination takes nothing at the moment. */
  refusedForNow: boolean;
}

const writers: LineWriter[] = [];

/**
 * Writes lines to a file descriptor in the background, in order. While the destination is slow, lines wait up to 4 MiB; further lines are
 * dropped and counted. Lines that the destination refuses, such as a full disk, are dropped as well. Writes what waits when the process exits.
 */
export class LineWriter implements LogDestination {
  #waiting: string[] = [];
  #waitingLength = 0;
  #inFlight: Batch | undefined;
  #broken = false;
  /** Whether the destination has only a part of the last line. */
  #torn = false;
  #dropped = 0;
  #idle: (() => void)[] = [];
  #fd: number;
  /** Called with the number of dropped lines as soon as the destination takes lines again. */
  onDropped: (count: number) => void = () => {};
  private readonly writeTo: Write;

  constructor(fd: number, writeTo: Write = (to, bytes, done) => write(to, bytes, done)) {
    this.#fd = fd;
    this.writeTo = writeTo;
    if (writers.push(this) === 1) process.on('exit', () => writers.forEach((each) => void each.#finish()));
  }

  write(line: string): void {
    if (this.#broken) return;
    if (this.#waitingLength + line.length > maxWaiting) {
      this.#dropped += 1;
      return;
    }
    this.#waiting.push(line);
    this.#waitingLength += line.length;
    if (!this.#inFlight) this.#next();
  }

  /** Resolves when nothing waits. */
  flush(): Promise<void> {
    return new Promise((resolve) => {
      if (this.#inFlight) this.#idle.push(resolve);
      else resolve();
    });
  }

  /** Returns the file descriptor to continue on, if the current one is to be closed. Called before each batch. */
  protected replacement(): number | undefined {
    return undefined;
  }

  /** Looks for a replacement now, or after the lines in flight. */
  protected look(): void {
    if (!this.#inFlight) this.#next();
  }

  #next(): void {
    this.#inFlight = undefined;
    const replacement = this.replacement();
    if (replacement !== undefined) {
      closeSync(this.#fd);
      [this.#fd, this.#torn] = [replacement, false];
    }
    const lines = this.#batch();
    if (lines.length === 0) {
      for (const resolve of this.#idle.splice(0)) resolve();
      return;
    }
    const bytes = Buffer.from(`${this.#torn ? '\n' : ''}${lines.join('')}`);
    this.#inFlight = { bytes, lines: lines.length, since: performance.now(), refusedForNow: false };
    this.#write(this.#inFlight);
  }

  #batch(): string[] {
    let [count, length] = [0, 0];
    for (const line of this.#waiting) {
      if (count > 0 && length + line.length > maxBatch) break;
      count += 1;
      length += line.length;
    }
    this.#waitingLength -= length;
    return this.#waiting.splice(0, count);
  }

  /** The write belongs to no request: the destination may be slow. */
  #write(batch: Batch): void {
    batch.refusedForNow = false;
    background.run(() => {
      this.writeTo(this.#fd, batch.bytes, (error, written) => {
        batch.refusedForNow = error?.code === 'EAGAIN' || error?.code === 'EBUSY';
        if (batch.refusedForNow) background.setTimeout(() => this.#write(batch), againMs).unref();
        else if (error) this.#refused(error, batch.lines);
        else if (written < batch.bytes.length) {
          this.#torn = batch.bytes[written - 1] !== lineFeed;
          batch.bytes = batch.bytes.subarray(written);
          this.#write(batch);
        } else this.#written();
      });
    });
  }

  #refused({ code }: NodeJS.ErrnoException, lines: number): void {
    this.#dropped += lines;
    // Nobody reads the pipe any more.
    this.#broken = code === 'EPIPE';
    if (this.#broken) [this.#waiting, this.#waitingLength] = [[], 0];
    this.#next();
  }

  #written(): void {
    this.#torn = false;
    const count = this.#dropped;
    this.#dropped = 0;
    if (count > 0) this.onDropped(count);
    this.#next();
  }

  /** Node.js completes a write in flight at the exit. When it is stuck, the exit must not wait for more. */
  #finish(): void {
    const { since = Number.POSITIVE_INFINITY, refusedForNow = false } = this.#inFlight ?? {};
    if (refusedForNow || performance.now() - since > stuckMs) return;
    try {
      if (this.#waiting.length > 0) writeSync(this.#fd, this.#waiting.splice(0).join(''));
    } catch {
      // The destination takes no more lines, and the process ends.
    }
  }
}

/**
 * Appends lines to a file. After logrotate or another tool has moved the file, the next line goes to a new file: tools that follow the file
 * may miss lines that come after the move. A process without lines closes the old file on SIGHUP, and within one second.
 */
export class RotatingFile extends LineWriter {
  readonly #name: string;
  #opened: number | undefined;
  #isAsked = false;

  /** Throws the error of the system when the file cannot be opened. */
  constructor(name: string) {
    mkdirSync(dirname(name), { recursive: true });
    super(openSync(name, 'a'));
    this.#name = name;
    this.#opened = inodeOf(name);
    background.setInterval(() => this.look(), lookEveryMs).unref();
    process.on('SIGHUP', () => {
      this.#isAsked = true;
      this.look();
    });
  }

  protected override replacement(): number | undefined {
    if (!this.#isAsked && inodeOf(this.#name) === this.#opened) return undefined;
    try {
      const fd = openSync(this.#name, 'a');
      [this.#opened, this.#isAsked] = [inodeOf(this.#name), false];
      return fd;
    } catch {
      // The old file takes the lines until the new one can be opened.
      return undefined;
    }
  }
}

let standardError: LineWriter | undefined;
let isFile = false;

/** Returns whether the log is a file. Then SIGHUP reopens the file and ends nothing. */
export function logsToFile(): boolean {
  return isFile;
}

export interface DestinationOptions {
  /** The file to append to, instead of standard error. */
  readonly file?: string | undefined;
  /** By default, lines are pretty on a terminal and JSON elsewhere. */
  readonly format?: 'json' | 'pretty' | undefined;
}

/** Opens the destination of this process's log. Throws the error of the system when the file cannot be opened. */
export function openDestination(
  { file, format }: DestinationOptions,
  onDropped?: LineWriter['onDropped'],
): LogDestination {
  const writer = writerTo(file);
  if (onDropped) writer.onDropped = onDropped;
  const isPretty = format === 'pretty' || (format === undefined && file === undefined && process.stderr.isTTY);
  return isPretty ? { write: (line) => writer.write(prettyLine(line)) } : writer;
}

/** All logs of a process share the writer to standard error, which keeps their lines in order. */
function writerTo(file: string | undefined): LineWriter {
  isFile = file !== undefined;
  if (file !== undefined) return new RotatingFile(file);
  standardError ??= new LineWriter(2);
  return standardError;
}

function inodeOf(file: string): number | undefined {
  try {
    return statSync(file, { throwIfNoEntry: false })?.ino;
  } catch {
    return undefined;
  }
}
