import { parseArgs } from 'node:util';

const longestMinutes = 24 * 60;

export interface Options {
  readonly seed: number;
  readonly minutes: number;
  readonly bus?: string;
  readonly json: boolean;
}

/** Reads the command line. Returns an error message for invalid arguments. Draws a seed if there is none. */
export function readOptions(args: readonly string[]): Options | string {
  const text = { type: 'string' } as const;
  try {
    const { values } = parseArgs({
      args: [...args],
      options: { seed: text, minutes: text, bus: text, json: { type: 'boolean' } },
    });
    const seed = values.seed ?? String(Math.floor(Math.random() * 1_000_000));
    const minutes = Number(values.minutes ?? '5');
    if (!/^\d{1,9}$/.test(seed)) return '--seed must be a whole number';
    if (!(minutes >= 0.1 && minutes <= longestMinutes))
      return `--minutes must be a number from 0.1 to ${longestMinutes}`;
    const { bus } = values;
    if (bus !== undefined && !/^(amqp|nats):\/\//.test(bus)) return '--bus must be an amqp:// or nats:// URL';
    return { seed: Number(seed), minutes, bus, json: values.json ?? false };
  } catch (error) {
    return (error as Error).message.split(/\.\s/)[0]!;
  }
}
