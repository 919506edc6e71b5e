/** The options of a test or suite that only `npm run test:deep` runs. `npm test` counts its tests at the end. */
export const deep = { tags: ['deep'] };
