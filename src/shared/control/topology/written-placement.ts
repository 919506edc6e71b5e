import { StartError } from '../../kernel/errors/index.ts';
import { isVia, viaChoice } from '../admin-contract/index.ts';
import { placementText } from './placement.ts';
import { areInstances, instancesRange } from './placement-mistakes.ts';

const examples =
  'http, or { via: http, instances: 3 }, or an address such as http://payments:4105, or a list of addresses (docs/placements.md)';

/**
 * Returns the text of a placement in the file, which is `http`, or `{ via: http, instances: 3 }`, or a list of addresses. Throws a
 * `StartError` that names the invalid part of `where`.
 */
export function writtenPlacement(written: unknown, where: string): string {
  if (typeof written === 'string') return written;
  if (Array.isArray(written)) return listed(written, where);
  if (typeof written === 'object' && written !== null) return service(written as Record<string, unknown>, where);
  const what = written === null ? 'nothing is written there' : `${shown(written)} is not a placement`;
  throw new StartError(`${where}: ${what}; write such as ${examples}`);
}

function listed(items: readonly unknown[], where: string): string {
  if (items.length === 0) throw new StartError(`${where}: the list is empty; write an address, or several`);
  const at = items.findIndex((item) => typeof item !== 'string');
  if (at < 0) return items.join(',');
  throw new StartError(`${where}.${at}: ${shown(items[at])} is not an address; write such as http://payments:4105`);
}

function service({ via, instances = 1, port, artifact, ...others }: Record<string, unknown>, where: string): string {
  const [unknown] = Object.keys(others);
  if (unknown !== undefined)
    throw new StartError(`${where}: "${unknown}" is unknown; known are via, instances, port, artifact`);
  if (via === undefined) throw new StartError(`${where}: via is missing; write such as { via: http, instances: 3 }`);
  if (!isVia(via)) {
    const cure = `write ${viaChoice}; an address or a broker stands alone, without { via: … }`;
    throw new StartError(`${where}.via: ${shown(via)} is invalid; ${cure}`);
  }
  if (typeof instances !== 'number' || !areInstances(instances))
    throw new StartError(`${where}.instances: ${shown(instances)} is invalid; write ${instancesRange}`);
  if (port !== undefined && !Number.isInteger(port))
    throw new StartError(`${where}.port: ${shown(port)} is invalid; write a number, such as 4105`);
  if (artifact !== undefined && typeof artifact !== 'string')
    throw new StartError(`${where}.artifact: ${shown(artifact)} is invalid; write the entry file of a release`);
  const said = { ...(port !== undefined && { port: Number(port) }), ...(artifact !== undefined && { artifact }) };
  return placementText({ kind: 'service', via, instances, ...said });
}

/** Formats a value for an error message; hides a possible broker URL, since it may contain a password. */
function shown(value: unknown): string {
  const text = JSON.stringify(value);
  return text.includes('@') ? 'its value' : text;
}
