import { deepStrictEqual } from 'node:assert';
import fc from 'fast-check';
import { describe, it } from 'vitest';
import type { z } from 'zod';
import { protoOf } from '../../src/shared/adapters/grpc/proto/proto.ts';
import { valuesOf } from '../../src/shared/adapters/grpc/proto/values.cases.ts';
import { contracts } from '../harness/contracts.ts';

describe('a value sent over gRPC', () => {
  it.each(contracts.map((each) => [each.name, each] as const))(
    'arrives unchanged, for every operation of %s',
    (_, each) => {
      const { operations } = protoOf(each);
      for (const { name, input, output } of Object.values(each.operations)) {
        const codecs = operations.get(name)!;
        comesBack(codecs.input, input);
        comesBack(codecs.output, output);
      }
    },
  );
});

type Codec = NonNullable<ReturnType<ReturnType<typeof protoOf>['operations']['get']>>['input'];

function comesBack(codec: Codec, schema: z.ZodType): void {
  fc.assert(
    fc.property(valuesOf(schema), (value) => deepStrictEqual(codec.decode(codec.encode(value)), value)),
    { numRuns: 100 },
  );
}
