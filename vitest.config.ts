import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['{sdk,kernel,plugins/*/*}/**/*.test.ts', 'test/**/*.test.ts'],
    exclude: ['**/node_modules/**', '**/dist/**'],
    testTimeout: 20_000,
    hookTimeout: 60_000,
  },
});
