import { sql } from 'drizzle-orm';
import { defineTables, type Migration, rowsByAny, upsertInto } from 'kerf/database';
import { handle, pagesOf } from 'kerf/module';
import { catalog, type Product } from '../contract.ts';

export const tables = defineTables(({ table, text, integer }) => ({
  products: table('products', {
    sku: text('sku').primaryKey(),
    name: text('name').notNull(),
    description: text('description').notNull(),
    amount: integer('amount').notNull(),
    currency: text('currency').notNull(),
    /** Name and description in lower case, for search. */
    words: text('words').notNull(),
  }),
}));

type ProductRow = ReturnType<typeof tables>['products']['$inferSelect'];

export const migrations: Migration[] = [
  {
    name: '0001-products',
    phase: 'expand',
    sqlite: `
      CREATE TABLE products (
        sku TEXT PRIMARY KEY,
        name TEXT NOT NULL,
        description TEXT NOT NULL,
        amount INTEGER NOT NULL,
        currency TEXT NOT NULL,
        words TEXT NOT NULL
      );
    `,
  },
];

const putRow = upsertInto((unit) => tables(unit).products, 'sku');
const bySkus = rowsByAny((reader) => tables(reader).products, 'sku');
const products = pagesOf('catalog.search', (reader) => tables(reader).products, 'sku', 'ascending');

export const put = handle(catalog.operations.put, async (product, unit) => {
  await putRow(unit, toRow(product));
  await unit.publish(catalog.events.productChanged, product);
  return product;
});

export const find = handle(catalog.operations.find, async ({ skus }, reader) => ({
  products: (await bySkus(reader, skus)).map(toProduct),
}));

export const search = handle(catalog.operations.search, ({ words = '', ...request }, reader) => {
  const wanted = words.toLowerCase().split(/\s+/).filter(Boolean);
  const inWords = wanted.map(
    (word) => sql`${tables(reader).products.words} like ${`%${escapeLike(word)}%`} escape '\\'`,
  );
  return products(reader, request, toProduct, ...inWords);
});

function escapeLike(word: string): string {
  return word.replace(/[\\%_]/g, (special) => `\\${special}`);
}

function toRow({ sku, name, description, price }: Product): ProductRow {
  return { sku, name, description, ...price, words: `${name} ${description}`.toLowerCase() };
}

function toProduct({ sku, name, description, amount, currency }: ProductRow): Product {
  return { sku, name, description, price: { amount, currency } };
}
