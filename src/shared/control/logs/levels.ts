const levelNames = ['debug', 'info', 'warn', 'error', 'silent'] as const;
export type LogLevel = (typeof levelNames)[number];

/** The minimum level of the lines that are written. */
export interface LogLevels {
  readonly default: LogLevel;
  /** The levels of modules, of `gateway` and of `home`, where they differ from the default. */
  readonly modules: Readonly<Record<string, LogLevel>>;
}

/** Describes what a text of levels must be, for messages. */
export const levelsRule = 'must be debug, info, warn, error or silent; for a module, such as info,payments=debug';

/** Reads levels such as `info,payments=debug`. Without a level of its own, the default is `warn`. Returns `undefined` for an invalid text. */
export function readLevels(text: string): LogLevels | undefined {
  const modules: Record<string, LogLevel> = {};
  let usual: LogLevel | undefined;
  for (const part of text.split(',')) {
    const [, name, level = ''] = /^(?:([\w-]+)=)?([a-z]+)$/.exec(part.trim()) ?? [];
    if (!isLevel(level) || (name === undefined ? usual !== undefined : Object.hasOwn(modules, name))) return undefined;
    if (name === undefined) usual = level;
    else modules[name] = level;
  }
  return { default: usual ?? 'warn', modules };
}

/** Writes levels as `readLevels` reads them. */
export function levelsText(levels: LogLevels): string {
  return [levels.default, ...Object.entries(levels.modules).map(([name, level]) => `${name}=${level}`)].join(',');
}

function isLevel(text: string): text is LogLevel {
  return levelNames.some((each) => each === text);
}
