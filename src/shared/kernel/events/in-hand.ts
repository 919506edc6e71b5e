import type { CrashNote } from '../database/index.ts';
import { type Envelope, envelopeSchema } from './envelope.ts';

/** An earlier process on the same data ended while a handler ran. */
export class HandlerEnded extends Error {
  override readonly name = 'HandlerEnded';
}

/**
 * Tracks the event that a handler of the module is processing. Notes the event beside the data before the handler runs. When the
 * event ends its process, the next process that opens a unit of work finds the note.
 */
export class InHand {
  #event: string | undefined;
  private readonly note: CrashNote | undefined;

  constructor(note: CrashNote | undefined) {
    this.note = note;
  }

  /**
   * Notes the event, in the handler's unit of work. Throws `HandlerEnded` when another process has noted an event. Replaces a note
   * of this process, whose handler was cut off with its unit.
   */
  begin(envelope: Envelope): void {
    if (this.#event === undefined && this.note?.isEmpty === false)
      throw new HandlerEnded('a handler ended its process');
    this.#event = envelope.id;
    this.note?.write(JSON.stringify(envelope));
  }

  /** Clears the note of this event when its handler has returned or was cut off. */
  end({ id }: Envelope): void {
    if (this.#event !== id) return;
    this.#event = undefined;
    this.note?.write('');
  }

  /** Returns, once, the event that a handler was processing when its process ended. The caller's unit of work records the event. */
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
