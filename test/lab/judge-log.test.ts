import { describe, expect, it } from 'vitest';
import { faults, mergeTicks } from './judge-log.js';

const line = (n: number, boot = 'aaaaaaaa', disk = 'ok') =>
  `TICK n=${n} boot=${boot} up=${n + 1}.00 disk=${disk}\r\n`;
const booted = (boot: string, at: number) => `GUEST UP name=web-1 boot=${boot} at=${at} up=1.00 prev=[]\r\n`;
const lines = (from: number, to: number, boot?: string) =>
  Array.from({ length: to - from + 1 }, (_, i) => line(from + i, boot)).join('');
const judge = (logs: Record<string, string>, sameBoot = true) =>
  faults(mergeTicks(new Map(Object.entries(logs))), sameBoot);

describe('ticks of a guest over the logs of its hosts', () => {
  it('follows a guest that moves away and back', () => {
    const logs = { host1: booted('aaaaaaaa', 100) + lines(1, 3) + lines(7, 9), host2: lines(4, 6) };
    const ticks = mergeTicks(new Map(Object.entries(logs)));
    expect(ticks.map(({ host, n }) => `${host}:${n}`).join(' ')).toBe(
      'host1:1 host1:2 host1:3 host2:4 host2:5 host2:6 host1:7 host1:8 host1:9',
    );
    expect(judge(logs)).toEqual([]);
  });

  it.each([
    'TICK n',
    'TICK n=1',
    'TICK n=12',
    'TICK n=12 boot=aaaa',
    'TICK n=12 boot=aaaaaaaa up=13.00 disk=o',
  ])('puts a line together that was torn after %j, also when the guest came back to that log', (head) => {
    const tail = line(12).slice(head.length);
    const logs = { host1: lines(10, 11) + head, host2: tail + lines(13, 14) };
    expect(judge(logs)).toEqual([]);
    expect(mergeTicks(new Map(Object.entries(logs))).find(({ n }) => n === 12)?.torn).toBe(true);
    const back = { host1: logs.host1 + lines(15, 16), host2: logs.host2 };
    expect(judge(back)).toEqual([]);
  });

  it('does not take a torn line for a tick when the other half is nowhere', () => {
    expect(judge({ host1: `${lines(10, 11)}TICK n=12 boot=aa`, host2: lines(13, 14) })).toEqual([
      'boot aaaaaaaa, tick 13 on host2: the one before it is 11 on host1',
    ]);
    expect(judge({ host1: `${lines(10, 11)}TICK n=12 boot=aa\r\n${line(13)}` })).toHaveLength(1);
  });

  it('leaves out the line that is being written while it reads', () => {
    expect(judge({ host1: `${lines(1, 3)}TICK n=4 bo` })).toEqual([]);
  });

  it('sees two copies', () => {
    expect(judge({ host1: lines(1, 5), host2: lines(4, 6) })).toEqual([
      'boot aaaaaaaa, tick 4 on host2: ticked on host1 as well (two copies, or memory restored)',
      'boot aaaaaaaa, tick 5 on host2: ticked on host1 as well (two copies, or memory restored)',
    ]);
  });

  it('sees memory that was restored on the same host', () => {
    expect(judge({ host1: lines(1, 5) + lines(4, 6) }).join()).toMatch(
      /tick 4 on host1: ticked on host1 as well/,
    );
  });

  it('sees a reboot, and orders the boots by time', () => {
    const logs = {
      host1: booted('bbbbbbbb', 200) + lines(1, 2, 'bbbbbbbb'),
      host2: booted('aaaaaaaa', 100) + lines(1, 4),
    };
    expect(judge(logs)).toEqual(['it booted 2 times: aaaaaaaa, bbbbbbbb']);
    expect(judge(logs, false)).toEqual([]);
  });

  it('sees a disk error, and a guest that never ticked', () => {
    expect(judge({ host1: lines(1, 2) + line(3, 'aaaaaaaa', 'ERR') })).toEqual([
      'boot aaaaaaaa, tick 3 on host1: could not write to its disk',
    ]);
    expect(judge({ host1: booted('aaaaaaaa', 100) })).toEqual(['it never ticked']);
  });
});
