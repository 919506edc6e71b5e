import { readdirSync } from 'node:fs';
import { expect, it } from 'vitest';
import { describeContract, incompatibilities } from '../../src/shared/control/releases/index.ts';
import type { Contract } from '../../src/shared/kernel/contract/index.ts';

it.each(readdirSync('src/modules'))('%s is compatible with itself, part by part', async (module) => {
  const exported = (await import(`../../src/modules/${module}/contract.ts`)) as Record<string, Contract>;
  const own = Object.values(exported).find((each) => each?.name === module && 'operations' in each)!;
  const description = describeContract(own);
  // Different titles force the comparison of equal parts, as if another program had written the description.
  const spelled = JSON.parse(JSON.stringify(description), (_, value) =>
    typeof value === 'object' && value !== null && 'type' in value ? { ...value, title: 'another' } : value,
  );
  expect(incompatibilities(description, spelled)).toEqual([]);
});
