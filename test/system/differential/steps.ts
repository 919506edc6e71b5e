import fc from 'fast-check';

export const people = ['Ada', 'Bob', 'Cy'] as const;
export type Person = (typeof people)[number];

/** Products of the histories: so few that orders compete, and one with a stock of five. */
export const goods = ['GLUE', 'OIL', 'WAX', 'LIMITED-1'] as const;

export interface Line {
  sku: string;
  quantity: number;
}

/** One action of a person. A number names an order or a post by its position in the history, for all persons together. */
export type Step =
  | { kind: 'sign up'; who: Person; phone: boolean }
  | { kind: 'mistype'; who: Person }
  | { kind: 'order'; who: Person; lines: Line[]; token: string; key: number | null }
  | { kind: 'cancel'; who: Person; order: number }
  | { kind: 'read order'; who: Person; order: number }
  | { kind: 'list orders'; who: Person; limit: number }
  | { kind: 'post'; who: Person; title: string }
  | { kind: 'comment'; who: Person; post: number; text: string }
  | { kind: 'read post'; post: number }
  | { kind: 'look'; sku: string };

/** Cy is rare and often not signed up: histories should sometimes show actions before a sign-up. */
const who = fc.constantFrom<Person>('Ada', 'Ada', 'Ada', 'Bob', 'Bob', 'Bob', 'Cy');
const nth = fc.nat({ max: 4 });
const kind = <K extends Step['kind']>(name: K) => fc.constant(name);
const sku = fc.oneof(
  { weight: 12, arbitrary: fc.constantFrom(...goods, 'LIMITED-1') },
  { weight: 1, arbitrary: fc.constant('NO-SUCH') },
);
const quantity = fc.oneof(
  { weight: 12, arbitrary: fc.integer({ min: 1, max: 4 }) },
  { weight: 1, arbitrary: fc.constantFrom(0, 700, 1_001) },
);
const line = fc.record({ sku, quantity });
const words = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 12 });

const order = fc.record({
  kind: kind('order'),
  who,
  lines: fc.array(line, { minLength: 1, maxLength: 3 }),
  token: fc.constantFrom('tok_ok', 'tok_ok', 'tok_declined'),
  key: fc.option(fc.nat({ max: 1 }), { freq: 2 }),
});

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 2, arbitrary: fc.record({ kind: kind('sign up'), who, phone: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ kind: kind('mistype'), who }) },
  { weight: 12, arbitrary: order },
  { weight: 4, arbitrary: fc.record({ kind: kind('cancel'), who, order: nth }) },
  { weight: 3, arbitrary: fc.record({ kind: kind('read order'), who, order: nth }) },
  { weight: 1, arbitrary: fc.record({ kind: kind('list orders'), who, limit: fc.integer({ min: 0, max: 3 }) }) },
  { weight: 2, arbitrary: fc.record({ kind: kind('post'), who, title: words }) },
  { weight: 2, arbitrary: fc.record({ kind: kind('comment'), who, post: nth, text: words }) },
  { weight: 1, arbitrary: fc.record({ kind: kind('read post'), post: nth }) },
  { weight: 1, arbitrary: fc.record({ kind: kind('look'), sku }) },
);

const seldomNot = fc.constantFrom(false, ...Array<true>(12).fill(true));

/** Random histories. Most begin with two sign-ups, so that the other steps have members. Shrinking may remove the sign-ups. */
export const histories: fc.Arbitrary<Step[]> = fc
  .tuple(seldomNot, seldomNot, fc.array(step, { minLength: 1, maxLength: 20, size: 'max' }))
  .map(([ada, bob, rest]) => [
    ...(ada ? [{ kind: 'sign up', who: 'Ada', phone: true } as const] : []),
    ...(bob ? [{ kind: 'sign up', who: 'Bob', phone: false } as const] : []),
    ...rest,
  ]);

export function tell(step: Step): string {
  switch (step.kind) {
    case 'sign up':
      return `${step.who} signs up ${step.phone ? 'with' : 'without'} a phone`;
    case 'mistype':
      return `${step.who} mistypes the password`;
    case 'order': {
      const basket = step.lines.map(({ sku, quantity }) => `${quantity} ${sku}`).join(', ');
      return `${step.who} orders ${basket} with ${step.token}${step.key === null ? '' : ` under key ${step.key}`}`;
    }
    case 'cancel':
      return `${step.who} cancels order ${step.order}`;
    case 'read order':
      return `${step.who} reads order ${step.order}`;
    case 'list orders':
      return `${step.who} lists ${step.limit} orders`;
    case 'post':
      return `${step.who} posts ${JSON.stringify(step.title)}`;
    case 'comment':
      return `${step.who} comments ${JSON.stringify(step.text)} on post ${step.post}`;
    case 'read post':
      return `somebody reads post ${step.post}`;
    case 'look':
      return `somebody looks at ${step.sku}`;
  }
}
