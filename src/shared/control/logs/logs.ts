import { hostname } from 'node:os';
import { ecsFormat } from '@elastic/ecs-pino-format';
import { type Logger, pino } from 'pino';
import type { Log } from '../../kernel/telemetry/index.ts';
import type { LogDestination } from './destination.ts';
import { ecsFields } from './ecs.ts';
import type { LogLevel, LogLevels } from './levels.ts';
import { Masking } from './masking.ts';

/**
 * The logs of a process. Each line is an object of Elastic Common Schema in JSON, which names its module, its request and its trace. Masks
 * e-mail addresses, phone numbers and secrets in every line. A line must still never contain passwords, tokens or bodies.
 */
export class Logs {
  readonly #root: Logger;
  readonly #byName = new Map<string, Logger>();
  readonly #destinations: LogDestination[];
  readonly #masking = new Masking();
  #levels: LogLevels;
  /** The number of the last line. */
  #sequence = 0;

  constructor(levels: LogLevels, destination: LogDestination) {
    this.#levels = levels;
    this.#destinations = [destination];
    const masking = this.#masking;
    const fieldsOf = (given: unknown) => ({ 'event.sequence': ++this.#sequence, ...ecsFields(given, masking) });
    this.#root = pino(
      {
        ...ecsFormat({ apmIntegration: false, serviceNodeName: `${hostname()}:${process.pid}` }),
        base: { pid: process.pid, hostname: hostname() },
        serializers: { message: (text: unknown) => masking.text(String(text)) },
        hooks: {
          logMethod(given, method) {
            const [first, ...rest] = given as unknown[];
            const [fields, message] = typeof first === 'string' ? [undefined, first] : [first, rest[0]];
            const text = message ?? (fields instanceof Error ? fields.message : '');
            method.call(this, fieldsOf(fields), '%s', String(text));
          },
        },
      },
      { write: (line) => this.#write(line) },
    );
  }

  /** Returns the log of a module, of `gateway`, or of the process, whose name is `home` or that of its modules. */
  of(name: string): Log {
    let log = this.#byName.get(name);
    if (!log) {
      log = this.#root.child({ 'service.name': name, 'event.dataset': name });
      log.level = this.#levelOf(name);
      this.#byName.set(name, log);
    }
    return log;
  }

  /** Returns whether lines of this level are written. */
  writes(name: string, level: LogLevel): boolean {
    return this.#byName.get(name)?.isLevelEnabled(level) ?? false;
  }

  get levels(): LogLevels {
    return this.#levels;
  }

  /** Changes the levels of all logs, also of those that `of` has returned. */
  setLevels(levels: LogLevels): void {
    this.#levels = levels;
    for (const [name, log] of this.#byName) log.level = this.#levelOf(name);
  }

  /** Hides these secrets wherever a line contains them. */
  hide(...secrets: readonly string[]): void {
    this.#masking.hide(...secrets);
  }

  /** Returns a text as a line would show it. */
  masked(text: string): string {
    return this.#masking.text(text);
  }

  /** Sends all further lines, as JSON, to this destination as well. */
  alsoTo(destination: LogDestination): void {
    this.#destinations.push(destination);
  }

  #levelOf(name: string): LogLevel {
    return Object.hasOwn(this.#levels.modules, name) ? this.#levels.modules[name]! : this.#levels.default;
  }

  /** A destination that fails must not fail the work that is logged. */
  #write(line: string): void {
    for (const destination of this.#destinations) {
      try {
        destination.write(line);
      } catch {
        // The other destinations still get the line.
      }
    }
  }
}
