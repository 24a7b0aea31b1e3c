import { defineConfig } from 'vitest/config';
import { LongestFirst } from './test/longest-first.js';

/**
 * unit: in one process, no server. postgres: the inventory's part of it, on a real PostgreSQL. proof: every operation through every trouble at every step, most of it in
 * virtual time. temporal: real Temporal servers, started by the tests. lab: real libvirt hosts and guests, one file at a
 * time (of two at a time on two cores some waited longer than they may), beside the other suites: most of what they do is to
 * wait. On real servers a test has a second attempt; scripts/test.mjs names each that needed it.
 */
export default defineConfig({
  test: {
    // By default one less than there are cores: of two, one would stand idle for minutes.
    maxWorkers: '100%',
    // Projects with different numbers of workers are run one after the other, by `groupOrder`.
    sequence: { sequencer: LongestFirst },
    projects: [
      {
        test: {
          name: 'unit',
          // With CI set, vitest forces colours on what it runs.
          env: { NO_COLOR: '1' },
          include: [
            'test/unit/**/*.test.ts',
            'test/runbooks/**/*.test.ts',
            'test/replay/**/*.test.ts',
            'test/scenarios/**/*.test.ts',
            'test/soak/**/*.test.ts',
          ],
          testTimeout: 60_000,
          hookTimeout: 120_000,
        },
      },
      {
        test: {
          name: 'postgres',
          env: { NO_COLOR: '1' },
          include: [
            'test/unit/inventory/**/*.test.ts',
            'test/unit/recovery/{brake,switches}.test.ts',
            'test/postgres/**/*.test.ts',
          ],
          // What is told of SQLite's file.
          exclude: ['test/unit/inventory/database.test.ts'],
          globalSetup: ['test/postgres/setup.ts'],
          testTimeout: 60_000,
          hookTimeout: 120_000,
        },
      },
      {
        test: {
          name: 'proof',
          env: { NO_COLOR: '1' },
          include: ['test/proof/**/*.test.ts'],
          globalSetup: ['test/proof/matrix/setup.ts'],
          testTimeout: 300_000,
          hookTimeout: 120_000,
        },
      },
      {
        test: {
          name: 'temporal',
          include: ['test/temporal/**/*.test.ts'],
          testTimeout: 120_000,
          hookTimeout: 120_000,
          maxWorkers: 2,
          sequence: { groupOrder: 1 },
          retry: 1,
        },
      },
      {
        test: {
          name: 'lab',
          include: ['test/lab/**/*.test.ts'],
          testTimeout: 240_000,
          hookTimeout: 240_000,
          maxWorkers: 1,
          sequence: { groupOrder: 2 },
          retry: 1,
        },
      },
    ],
  },
});
