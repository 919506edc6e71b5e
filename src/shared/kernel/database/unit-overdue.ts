/** Maximum time that a unit of work may be open, in milliseconds. */
export const unitLimitMs = 5_000;

const advice = 'it may wait only for its own database';

/** A unit of work was open for too long. It was rolled back, and further writes of its task are refused. */
export class UnitOverdue extends Error {
  override readonly name = 'UnitOverdue';

  constructor(database: string) {
    super(`a unit of work of "${database}" was open for ${unitLimitMs} ms and was rolled back: ${advice}`);
  }
}
