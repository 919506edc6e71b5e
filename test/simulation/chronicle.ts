import type { Disk } from './disk.ts';
import { label, Names } from './names.ts';
import type { World } from './world.ts';

const arrows = { ask: '->>', answer: '-->>', refusal: '--x', lost: '-x' };

const longest = 300;

interface Line {
  readonly text: string;
  /** Ids in this line. A line without ids concerns every order. */
  readonly about: readonly string[];
}

/**
 * Records a history as a Mermaid sequence diagram: modules, calls, events, commits, crashes. The recording does not change the
 * history.
 */
export class Chronicle {
  readonly #names = new Names();
  readonly #lines: Line[] = [];
  readonly #written = new Map<string, { words: string; row: string }[]>();
  #participants: readonly string[] = [];
  #time = () => 0;

  /** Records each row that is written to the disks. Returns a function that stops the recording. */
  listen(disks: Iterable<Disk>): () => void {
    const stops = [...disks].map((disk) =>
      disk.listen((table, row) => {
        const words = label(table, JSON.parse(row), this.#names);
        if (words) this.#written.set(disk.module, [...(this.#written.get(disk.module) ?? []), { words, row }]);
      }),
    );
    return () => {
      for (const stop of stops) stop();
    };
  }

  begin({ scheduler, plan }: World): void {
    const startMs = scheduler.time;
    this.#time = () => scheduler.time - startMs;
    this.#participants = [...plan.processes.flat(), 'provider'];
  }

  /** Records a message, delivered or lost, and its fate. `line` is the request; `text` is the answer, for an answer. */
  arrow(
    kind: keyof typeof arrows,
    from: string,
    to: string,
    what: string,
    fate: string,
    line: string,
    text = '',
  ): void {
    const subject = this.#names.subject(line);
    const words = [what, subject && `of ${subject}`, fate].filter(Boolean).join(' ');
    this.#add(`${from}${arrows[kind]}${to}: ${words}`, this.#names.find(line + text));
  }

  committed(module: string): void {
    const written = this.#written.get(module) ?? [];
    this.#written.delete(module);
    if (written.length === 0) return;
    const words = [...new Set(written.map((each) => each.words))].join('<br/>');
    this.#add(`Note over ${module}: ${this.#clock()} commit<br/>${words}`, this.#names.find(JSON.stringify(written)));
  }

  /** Drops the rows of a unit of work that was rolled back. */
  forget(module: string): void {
    this.#written.delete(module);
  }

  note(modules: readonly string[], text: string): void {
    for (const module of modules) this.forget(module);
    const ends = [...new Set([modules[0]!, modules.at(-1)!])].join(',');
    this.#add(`Note over ${ends}: ${this.#clock()} ${modules.join(', ')}<br/>${text}`, []);
  }

  told(module: string, message: string, fields: unknown): void {
    const { lastError, error } = fields as { lastError?: string; error?: Error };
    this.#add(`Note over ${module}: ${this.#clock()} log<br/>${message}<br/>${lastError ?? error?.message ?? ''}`, []);
  }

  /** Returns `text` with the diagram's names instead of ids. */
  inWords(text: string): string {
    return this.#names.replace(text);
  }

  /** Returns the diagram. Keeps only lines about the orders in `about`, if it names orders. */
  toMermaid(about: string): string {
    const wanted = this.#names.find(about).filter((id) => this.#names.isOrder(id));
    const concerns = (line: Line) =>
      wanted.length === 0 || line.about.length === 0 || line.about.some((id) => wanted.includes(id));
    const lines = shortened(this.#lines.filter(concerns).map(({ text }) => `  ${text}`));
    const participants = ['gateway', ...this.#participants].map((name) => `  participant ${name}`);
    return ['sequenceDiagram', ...participants, ...lines].join('\n');
  }

  #add(text: string, about: readonly string[]): void {
    this.#lines.push({ text: this.#names.replace(text).replaceAll(/[;#\n]/g, ','), about });
  }

  #clock(): string {
    return `${(this.#time() / 1_000).toFixed(3)} s`;
  }
}

/** Shortens a long diagram. A history that never comes to rest mostly repeats its end. */
function shortened(lines: readonly string[]): readonly string[] {
  const left = lines.length - longest;
  if (left <= 0) return lines;
  return [...lines.slice(0, longest - 50), `  Note over gateway: ${left} lines are left out here`, ...lines.slice(-50)];
}
