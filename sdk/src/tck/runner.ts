/** What a kit needs of a test runner; vitest, jest, mocha and node:test all have it. */
export interface Runner {
  describe(name: string, body: () => void): void;
  it(name: string, body: () => void | Promise<void>, timeoutMs?: number): void;
}
