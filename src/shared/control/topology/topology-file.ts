import {
  closeSync,
  existsSync,
  fsyncSync,
  openSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { isMap, isScalar, parseDocument } from 'yaml';

/**
 * Writes the placement of a module into the topology file. Only its line changes; all other lines and the comments stay. Replaces the
 * file as a whole, so that a crash leaves the old or the new file. Throws when the file cannot be written, with the system's error, or
 * is no longer valid YAML.
 */
export function writePlacement(fileName: string, module: string, placement: string): void {
  const file = existsSync(fileName) ? realpathSync(fileName) : fileName;
  const before = existsSync(file) ? readFileSync(file, 'utf8') : '';
  const after = withPlacement(before, module, placement);
  if (after !== before) replace(file, after);
}

/** Throws when the file cannot be replaced. Tests this by creating a file beside it. */
export function refuseUnwritable(fileName: string): void {
  const file = existsSync(fileName) ? realpathSync(fileName) : fileName;
  if (existsSync(file) && !statSync(file).isFile()) throw new Error(`${fileName} is not a file that can be written`);
  const beside = temporary(file);
  writeFileSync(beside, '');
  rmSync(beside);
}

/** Returns the text with only that line changed. An `in-process` module gets no line unless it already has one. */
export function withPlacement(text: string, module: string, placement: string): string {
  const document = parseDocument(text);
  const [wrong] = document.errors;
  if (wrong) throw new Error(`it is not well-formed YAML any more: ${wrong.message.split('\n')[0]}`);
  if (!document.hasIn(['modules', module]) && placement === 'in-process') return text;
  if (!isMap(document.contents)) document.contents = document.createNode({}) as never;
  const modules = document.get('modules', true);
  if (!isMap(modules)) {
    const made = document.createNode({});
    // Below an empty `modules:` there are only comments, which stay.
    if (isScalar(modules) && modules.comment) made.commentBefore = modules.comment;
    document.set('modules', made);
  }
  const said = document.getIn(['modules', module], true);
  if (isScalar(said)) said.value = placement;
  else document.setIn(['modules', module], placement);
  return document.toString({ lineWidth: 0 });
}

function replace(file: string, text: string): void {
  const beside = temporary(file);
  const mode = existsSync(file) ? statSync(file).mode & 0o777 : 0o644;
  const handle = openSync(beside, 'w', mode);
  try {
    writeFileSync(handle, text);
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
  renameSync(beside, file);
  const folder = openSync(dirname(file), 'r');
  fsyncSync(folder);
  closeSync(folder);
}

function temporary(file: string): string {
  return `${file}.new`;
}
