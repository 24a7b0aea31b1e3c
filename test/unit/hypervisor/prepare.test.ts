import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { guest, jobView, source, target } from './fake-port.js';
import { call, fake, figures, migrate, records, starts } from './moving.js';

describe('before it starts', () => {
  it('removes an old definition of the same guest on the target', async () => {
    fake.put(target, guest({ power: 'shutoff' }));
    fake.onStart = () => fake.arrive();
    await expect(migrate()).resolves.toEqual(figures);
    expect(fake.calls[0]).toBe('undefine host2');
  });

  it('names another guest of that name on the target', async () => {
    const other = '0a0a0a0a-0000-4000-8000-000000000002';
    fake.guests.get('host2')?.set(other, guest({ id: other, power: 'shutoff' }));
    await expect(migrate()).rejects.toMatchObject({
      code: 'HypervisorError',
      message: expect.stringContaining(other),
    });
    expect(starts()).toEqual([]);
  });

  it.each([
    [{ managedSave: true }, 'saved memory image'],
    [{ snapshots: 2 }, '2 snapshots'],
    [{ checkpoints: 2 }, '2 checkpoints'],
    [{ persistent: false }, 'no stored definition'],
  ])('refuses %j', async (changes, why) => {
    fake.put(source, guest(changes));
    await expect(migrate()).rejects.toMatchObject({
      code: 'Unsupported',
      message: expect.stringContaining(why),
    });
    expect(starts()).toEqual([]);
    expect(records.started).toEqual([]);
  });

  it('refuses a guest that is busy with another job, and leaves that job alone', async () => {
    fake.running = jobView({ operation: 'backup', migrates: false });
    await expect(migrate()).rejects.toMatchObject({
      code: 'WrongState',
      message: expect.stringContaining('backup'),
      hint: expect.stringContaining('domjobabort'),
    });
    expect(fake.calls).toEqual([]);
    expect(records.started).toEqual([]);
  });

  it('fails over a job that began at the same moment, and leaves that job alone', async () => {
    fake.onStart = () => {
      fake.running = jobView({ operation: 'backup', migrates: false });
      setTimeout(() => fake.endClient('cannot acquire state change lock'), 10);
    };
    await expect(migrate()).rejects.toMatchObject({
      code: 'MigrationFailed',
      message: expect.stringContaining('state change lock'),
    });
    expect(call.beats).not.toContainEqual(expect.objectContaining({ phase: 'copying' }));
    expect(fake.calls).toEqual(['stamp host1', 'migrate host1 host2']);
  });

  it('does not abort a job that is none of its own when it is cancelled', async () => {
    fake.onStart = () => {
      fake.running = jobView({ operation: 'backup', migrates: false });
      setTimeout(() => fake.endClient('cannot acquire state change lock'), 30);
    };
    fake.onJob = (asked) => void (asked === 4 && call.abort(true));
    await expect(migrate()).rejects.toMatchObject({ code: 'Cancelled' });
    expect(fake.calls).toEqual(['stamp host1', 'migrate host1 host2']);
  });

  it('refuses a guest that is off, and a disk that it does not have', async () => {
    await expect(migrate({ copy: ['vdz'] })).rejects.toMatchObject({ code: 'InvalidInput' });
    fake.put(source, guest({ power: 'shutoff' }));
    await expect(migrate()).rejects.toMatchObject({ code: 'WrongState' });
  });

  it('refuses to copy a disk that is another file than the recorded one, which it would remove', async () => {
    const overlay = '/srv/local/web-1.snap1';
    fake.put(source, guest({ disks: [{ target: 'vda', path: overlay, format: 'qcow2', readonly: false }] }));
    const disks = [{ target: 'vda', path: '/srv/local/web-1.qcow2', format: 'qcow2', readonly: false }];
    await expect(migrate({ copy: ['vda'], disks })).rejects.toMatchObject({
      code: 'Unsupported',
      message: expect.stringContaining(overlay),
    });
    expect(starts()).toEqual([]);
  });

  it('refuses a late step of an operation that was replaced, even one that would only attach', async () => {
    fake.put(source, guest({ stamp: { instance: 'x', operation: 'op-2', epoch: 6 } }));
    fake.running = jobView();
    await expect(migrate()).rejects.toMatchObject({ code: 'StaleOwner' });
    await delay(1);
    expect(fake.calls).toEqual([]);
  });
});
