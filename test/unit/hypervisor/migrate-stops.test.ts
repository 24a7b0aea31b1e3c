/** Migrations that are cancelled, left by their worker, or out of time. */
import { describe, expect, it } from 'vitest';
import { jobView } from './fake-port.js';
import { attemptAgain, call, fake, figures, migrate, records, starts } from './moving.js';

describe('stopping', () => {
  it('aborts the job when somebody cancels', async () => {
    fake.onStart = () => void (fake.running = jobView());
    fake.onJob = (asked) => void (asked === 4 && call.abort(true));
    fake.onAbort = () => {
      fake.running = null;
      fake.endClient('operation aborted');
    };
    await expect(migrate()).rejects.toMatchObject({ code: 'Cancelled' });
    expect(fake.calls).toContain('abort host1');
    expect(records.ended).toEqual([['mig-1', expect.objectContaining({ state: 'cancelled' })]]);
  });

  it('tells that it arrived when the cancel came too late', async () => {
    fake.onStart = () => void (fake.running = jobView());
    fake.onJob = (asked) => void (asked === 4 && call.abort(true));
    fake.onAbort = () => {
      fake.arrive();
      fake.endClient(null);
    };
    await expect(migrate()).resolves.toEqual(figures);
  });

  it('aborts a job that its own client begins only after the cancel', async () => {
    fake.onStart = () => call.abort(true);
    fake.onJob = (asked) => void (asked === 5 && (fake.running = jobView()));
    fake.onAbort = () => {
      fake.running = null;
      fake.endClient('operation aborted');
    };
    await expect(migrate()).rejects.toMatchObject({ code: 'Cancelled' });
    expect(fake.calls).toContain('abort host1');
  });

  it('leaves the job alone when only the worker stops, and the next attempt follows it', async () => {
    fake.onStart = () => void (fake.running = jobView());
    fake.onJob = (asked) => void (asked === 4 && call.abort(false));
    await expect(migrate()).rejects.toMatchObject({ code: 'Internal', retryable: true });
    expect(fake.calls).not.toContain('abort host1');
    expect(records.ended).toEqual([]);

    attemptAgain();
    fake.onJob = (asked) => void (asked > 8 && fake.arrive());
    await expect(migrate()).resolves.toEqual(figures);
    expect(starts()).toHaveLength(1);
  });

  it('aborts what did not end in time', async () => {
    fake.onStart = () => void (fake.running = jobView());
    fake.onAbort = () => {
      fake.running = null;
      fake.endClient('operation aborted');
    };
    await expect(migrate({ timeoutSeconds: 0.03 })).rejects.toMatchObject({
      code: 'TimedOut',
      message: expect.stringContaining('1 MiB left'),
    });
  });

  it('calls it stalled when every round of memory begins with as much as the one before', async () => {
    fake.onJob = (asked) => {
      const rest = 3 - (asked % 4);
      fake.running &&= jobView({
        iteration: 1 + Math.floor(asked / 4),
        remainingBytes: 1000 * rest + 1000 / asked,
      });
    };
    fake.onStart = () => void (fake.running = jobView());
    fake.onAbort = () => {
      fake.running = null;
      fake.endClient('operation aborted');
    };
    await expect(migrate({ timeoutSeconds: 0.3 })).rejects.toMatchObject({ code: 'MigrationStalled' });
  });

  it('calls it stalled when nothing got nearer to the end', async () => {
    fake.onStart = () => void (fake.running = jobView({ iteration: 9 }));
    fake.onAbort = () => {
      fake.running = null;
      fake.endClient('operation aborted');
    };
    await expect(migrate({ timeoutSeconds: 0.06 })).rejects.toMatchObject({ code: 'MigrationStalled' });
  });
});
