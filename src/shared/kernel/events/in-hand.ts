import type { CrashNote } from '../database/index.ts';
import { type Envelope, envelopeSchema } from './envelope.ts';

/** The process that worked on the same data before has ended while a handler ran. */
export class HandlerEnded extends Error {
  override readonly name = 'HandlerEnded';
}

/**
 * Which event a handler of the module has in hand. It is noted beside the data before the handler runs, so that an event which
 * ends its process is known to whoever opens the unit of work after it.
 */
export class InHand {
  #event: string | undefined;
  private readonly note: CrashNote | undefined;

  constructor(note: CrashNote | undefined) {
    this.note = note;
  }

  /**
   * In the unit of work of the handler. Throws `HandlerEnded` when another process has noted an event. One of this process was cut
   * off with its unit: the note is for the next.
   */
  begin(envelope: Envelope): void {
    if (this.#event === undefined && this.note?.isEmpty === false)
      throw new HandlerEnded('a handler ended its process');
    this.#event = envelope.id;
    this.note?.write(JSON.stringify(envelope));
  }

  /** The handler has returned, or was cut off. */
  end({ id }: Envelope): void {
    if (this.#event !== id) return;
    this.#event = undefined;
    this.note?.write('');
  }

  /** The event that was in hand when its process ended, if any: told once. In a unit of work that records it. */
  takeEnded(): Envelope | undefined {
    if (this.#event !== undefined || !this.note || this.note.isEmpty) return undefined;
    const text = this.note.read();
    this.note.write('');
    try {
      return envelopeSchema.parse(JSON.parse(text));
    } catch {
      return undefined;
    }
  }
}
