// Options that take a number, within the bounds that the running system has for it.
import type { z } from 'zod';
import { misused } from './words.ts';

/** The field of an order that an option is for. */
export type Field = z.ZodNumber | z.ZodOptional<z.ZodNumber> | z.ZodDefault<z.ZodNumber>;

/** What an option takes: its bounds in its own unit, and the factor from there to the field of the order. */
export interface NumberOption {
  /** As in "--share takes a number, 0 to 1": the words between the name and the bounds. */
  readonly says: string;
  readonly least: number;
  readonly most: number;
  readonly times?: number;
  readonly isWhole?: boolean;
  /** Whether 5% may be written for 0.05. */
  readonly isShare?: boolean;
}

/** The option for a field of an order. Its unit is `times` the unit of the field. */
export function optionFor(field: Field, says: string, more: Partial<Omit<NumberOption, 'says'>> = {}): NumberOption {
  const { minValue, maxValue } = 'unwrap' in field ? field.unwrap() : field;
  const { times = 1 } = more;
  return { says, least: (minValue ?? 0) / times, most: (maxValue ?? Number.POSITIVE_INFINITY) / times, ...more };
}

/** Reads an option; undefined when it is absent. Fails when it is no such number. */
export function readNumber(command: string, name: string, text: string | undefined, option: NumberOption) {
  if (text === undefined) return undefined;
  const { says, least, most, times, isWhole, isShare } = option;
  const isPercent = isShare && text.endsWith('%');
  const value = Number(isPercent ? text.slice(0, -1) : text) * (isPercent ? 0.01 : 1);
  const fits = /^(\d+|\d*\.\d+)%?$/.test(text) && value >= least && value <= most;
  if (fits && (!isWhole || Number.isInteger(value))) return times ? Math.round(value * times) : value;
  const bound = (number: number) => (isShare ? `${number * 100}%` : String(number));
  return misused(command, `--${name} ${says}, ${bound(least)} to ${bound(most)}, not "${text}"`);
}
