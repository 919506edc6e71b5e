import { StartError } from '../../kernel/errors/index.ts';
import { placementText, type Via } from './placement.ts';
import { areInstances, instancesRange } from './placement-mistakes.ts';

const examples =
  'http, or { via: http, instances: 3 }, or an address such as http://payments:4105, or a list of addresses (README, Placements)';
const vias: readonly unknown[] = ['http', 'grpc', 'queue'] satisfies Via[];

/**
 * A placement as the file holds it: `http`, or `{ via: http, instances: 3 }`, or a list of addresses; in the end, the text of it. Throws
 * a `StartError` that names the part of `where` that will not do.
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
    throw new StartError(`${where}: "${unknown}" is not known; known are via, instances, port, artifact`);
  if (via === undefined) throw new StartError(`${where}: via is missing; write such as { via: http, instances: 3 }`);
  if (!vias.includes(via)) {
    const cure = 'write http, grpc or queue; an address or a broker stands alone, without { via: … }';
    throw new StartError(`${where}.via: ${shown(via)} will not do; ${cure}`);
  }
  if (typeof instances !== 'number' || !areInstances(instances))
    throw new StartError(`${where}.instances: ${shown(instances)} will not do; write ${instancesRange}`);
  if (port !== undefined && !Number.isInteger(port))
    throw new StartError(`${where}.port: ${shown(port)} will not do; write a number, such as 4105`);
  if (artifact !== undefined && typeof artifact !== 'string')
    throw new StartError(`${where}.artifact: ${shown(artifact)} will not do; write the entry file of a release`);
  const said = { ...(port !== undefined && { port: Number(port) }), ...(artifact !== undefined && { artifact }) };
  return placementText({ kind: 'service', via: via as Via, instances, ...said });
}

/** What may be a broker's URL holds a password. */
function shown(value: unknown): string {
  const text = JSON.stringify(value);
  return text.includes('@') ? 'its value' : text;
}
