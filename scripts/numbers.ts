// Options with a number, within the bounds of the running system.
import type { z } from 'zod';
import { misuse } from './cli/command.ts';

/** The field of an order for an option. */
export type Field = z.ZodNumber | z.ZodOptional<z.ZodNumber> | z.ZodDefault<z.ZodNumber>;

/** A numeric option: its bounds in its own unit, and the factor to the unit of the field. */
export interface NumberOption {
  /** The words between the name and the bounds, as in "--share takes a number, 0 to 1". */
  readonly says: string;
  readonly least: number;
  readonly most: number;
  readonly times?: number;
  readonly isWhole?: boolean;
  /** Whether the option accepts 5% for 0.05. */
  readonly isShare?: boolean;
}

/** Returns the option for a field of an order. Its unit is `times` the unit of the field. */
export function optionFor(field: Field, says: string, more: Partial<Omit<NumberOption, 'says'>> = {}): NumberOption {
  const { minValue, maxValue } = 'unwrap' in field ? field.unwrap() : field;
  const { times = 1 } = more;
  return { says, least: (minValue ?? 0) / times, most: (maxValue ?? Number.POSITIVE_INFINITY) / times, ...more };
}

/** Reads an option; undefined when it is absent. Fails for an invalid number. */
export function readNumber(name: string, text: string | undefined, option: NumberOption) {
  if (text === undefined) return undefined;
  const { says, least, most, times, isWhole, isShare } = option;
  const isPercent = isShare && text.endsWith('%');
  const value = Number(isPercent ? text.slice(0, -1) : text) * (isPercent ? 0.01 : 1);
  const fits = /^(\d+|\d*\.\d+)%?$/.test(text) && value >= least && value <= most;
  if (fits && (!isWhole || Number.isInteger(value))) return times ? Math.round(value * times) : value;
  const bound = (number: number) => (isShare ? `${number * 100}%` : String(number));
  return misuse(`--${name} ${says}, ${bound(least)} to ${bound(most)}, not "${text}"`);
}
