import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { domainXml } from '../../../activities/hypervisor/libvirt/define.js';
import { toDroverError } from '../../../activities/hypervisor/libvirt/errors.js';
import { parseCompleted, parseJob } from '../../../activities/hypervisor/libvirt/job.js';
import { migrateArgs } from '../../../activities/hypervisor/libvirt/migrate.js';
import { powerOf } from '../../../activities/hypervisor/libvirt/power.js';
import { stampXml } from '../../../activities/hypervisor/libvirt/stamp.js';
import { viewOf } from '../../../activities/hypervisor/libvirt/view.js';
import { parseDomain } from '../../../activities/hypervisor/libvirt/xml.js';

/** Recorded from virsh 9.0.0 (QEMU 7.2) with LC_ALL=C. */
const recorded = (name: string): string => readFileSync(join(import.meta.dirname, 'fixtures', name), 'utf8');
const host = { name: 'host1', uri: 'qemu+tcp://10.0.0.1/system' };
const id = '0a0a0a0a-0000-4000-8000-000000000001';
const stamp = { instance: id, operation: 'op-1', epoch: 3 };

describe('power', () => {
  it.each([
    ['running (booted)', 'running'],
    ['running (post-copy)', 'migrating'],
    ['idle (unknown)', 'running'],
    ['in shutdown (user)', 'running'],
    ['paused (user)', 'paused'],
    ['paused (I/O error)', 'paused'],
    ['paused (migrating)', 'migrating'],
    ['paused (starting up)', 'migrating'],
    ['paused (post-copy failed)', 'migrating'],
    ['running (post-copy failed)', 'migrating'],
    ['shut off (destroyed)', 'shutoff'],
    ['shut off (crashed)', 'crashed'],
    ['shut off', 'shutoff'],
    ['crashed (panicked)', 'crashed'],
    ['no state', 'unknown'],
  ])('%s is %s', (text, power) => expect(powerOf(text)).toBe(power));
});

describe('the definition of a guest', () => {
  it('is read as libvirt writes it, with the stamp of whatever prefix', () => {
    const view = viewOf(parseDomain(recorded('domain-running.xml')), 'running (booted)');
    expect(view).toMatchObject({ name: 'a', power: 'running', reason: 'booted', vcpus: 1, memoryMiB: 96 });
    expect(view.disks).toEqual([
      { target: 'vda', path: '/srv/shared/a.qcow2', format: 'qcow2', readonly: false },
    ]);
    expect(view.serialLog).toBe('/var/log/libvirt/qemu/a.serial');
    expect(view.stamp).toEqual({ instance: view.id, operation: 'op-7', epoch: 7 });
  });

  it('is read when it is not running and has no metadata', () => {
    const view = viewOf(parseDomain(recorded('domain-plain.xml')), 'shut off (unknown)');
    expect(view).toMatchObject({ name: 'b', power: 'shutoff', stamp: null });
    expect(view.disks).toHaveLength(1);
  });

  it('is written so that it reads back, whatever the name', () => {
    const disk = { target: 'vda', path: '/d/<a>&"b".qcow2', format: 'qcow2', readonly: false } as const;
    const spec = { id, name: 'a&b<c>', vcpus: 2, memoryMiB: 128, disks: [disk], bridges: ['br0', 'br1'] };
    const text = domainXml(spec, stamp, {
      domain: 'qemu',
      arch: 'x86_64',
      path: '/usr/bin/qemu-system-x86_64',
    });
    const view = viewOf(parseDomain(text), 'shut off');
    expect(view).toMatchObject({ id, name: 'a&b<c>', vcpus: 2, memoryMiB: 128, disks: [disk], stamp });
    expect(text).toContain('cache="none"');
    expect(text).toContain('append="on"');
    expect(stampXml({ ...stamp, operation: '"><x/>' })).not.toContain('<x/>');
  });

  it('ignores drives that are empty, and disks that are no file of the host', () => {
    const domain = parseDomain(`<domain><name>x</name><uuid>${id}</uuid><memory unit='GiB'>2</memory><devices>
      <disk type='file' device='cdrom'><target dev='sda'/><readonly/></disk>
      <disk type='network' device='disk'><driver type='raw'/><source protocol='rbd' name='p/x'/><target dev='vdb'/></disk>
      <disk type='block' device='disk'><driver type='raw'/><source dev='/dev/vg/x'/><target dev='vdc'/></disk>
      <disk type='file' device='cdrom'><source file='/i.iso'/><target dev='sdb'/></disk></devices></domain>`);
    const view = viewOf(domain, 'paused (user)');
    expect(view.memoryMiB).toBe(2048);
    expect(view.disks).toEqual([
      { target: 'vdc', path: '/dev/vg/x', format: 'raw', readonly: false },
      { target: 'sdb', path: '/i.iso', format: 'raw', readonly: true },
    ]);
  });

  it('is refused as a typed error when it is not a domain', () => {
    expect(() => parseDomain('<network/>')).toThrow(expect.objectContaining({ code: 'HypervisorError' }));
  });
});

describe('jobs', () => {
  it('has no job', () => expect(parseJob(recorded('job-none.txt'))).toBeNull());
  it('has a job without figures at its beginning, not one with nothing left', () => {
    expect(parseJob(recorded('job-begins.txt'))).toMatchObject({
      operation: 'outgoing migration',
      elapsedMs: 302,
      remainingBytes: null,
    });
  });
  it('has figures', () => {
    expect(parseJob(recorded('job-active.txt'))).toMatchObject({
      totalBytes: 101195776,
      remainingBytes: 80846848,
      iteration: 1,
    });
  });
  it('tells a migration from any other job', () => {
    expect(parseJob(recorded('job-active.txt'))).toMatchObject({ migrates: true });
    expect(parseJob(recorded('job-backup.txt'))).toMatchObject({ operation: 'backup', migrates: false });
  });
  it('knows its downtime on the target', () => {
    expect(parseCompleted(recorded('job-completed-on-target.txt'))).toEqual({
      totalMs: 8051,
      downtimeMs: 7,
      transferredBytes: 79493039,
    });
    expect(parseCompleted(recorded('job-active.txt'))).toBeNull();
    expect(parseCompleted('')).toBeNull();
  });
});

describe('messages', () => {
  it.each([
    ['no-route.stderr', 'HypervisorUnreachable', 'No route to host'],
    ['refused.stderr', 'HypervisorUnreachable', 'Connection refused'],
    ['no-domain.stderr', 'NotFound', 'failed to get domain'],
    ['unsafe.stderr', 'HypervisorError', 'Unsafe migration'],
    ['second-migrate.stderr', 'HypervisorError', 'another migration job'],
    ['block-job.stderr', 'HypervisorError', 'active block job'],
    ['state-lock.stderr', 'HypervisorError', 'cannot acquire state change lock'],
  ])('%s is %s', (name, code, message) => {
    expect(toDroverError(host, recorded(name))).toMatchObject({
      code,
      message: expect.stringContaining(message),
    });
  });

  it('does not take a host’s trouble with a third one for its own silence', () => {
    const text = "error: unable to connect to server at 'host3:49152': Connection refused";
    expect(toDroverError(host, text).code).toBe('HypervisorError');
    expect(toDroverError(host, 'error: internal error: client socket is closed').code).toBe(
      'HypervisorUnreachable',
    );
    expect(
      toDroverError(host, 'error: failed to connect to the hypervisor\nerror: authentication failed: no')
        .retryable,
    ).toBe(false);
  });

  it('explains an unsafe migration', () => {
    expect(toDroverError(host, recorded('unsafe.stderr')).hint).toContain('block migration');
  });
});

it('never forces a migration', () => {
  const move = { id, name: '--unsafe', source: host, target: host, bandwidthMiBs: 20 };
  const args = migrateArgs({ ...move, copy: ['vda', 'vdb'] });
  expect(args).toContain('--p2p');
  expect(args.join(' ')).toContain('--copy-storage-all --migrate-disks vda,vdb --bandwidth 20');
  expect(args).not.toContain('--unsafe');
  expect(() => migrateArgs({ ...move, copy: ['vda,--unsafe'] })).toThrow(
    expect.objectContaining({ code: 'InvalidInput' }),
  );
});
