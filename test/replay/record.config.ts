/** For the recorder only, which is no test: see record.ts. */
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: { include: ['test/replay/record.ts'], testTimeout: 300_000, hookTimeout: 120_000 },
});
