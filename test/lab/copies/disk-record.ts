/**
 * What a guest last wrote to its disk, read from the file beside QEMU and without it: a program for each look would take
 * longer than the time between two of them.
 */
import { closeSync, openSync, readSync } from 'node:fs';

/** The guest's record is one sector at 63 MiB (lab/guest-init.sh). */
const recordOffset = 63 * 1024 * 1024;
const addressBits = 0x00fffffffffffe00n;

/** Like `n=12 boot=1a2b3c4d name=web-1`; '' where nothing is. */
export function diskRecord(file: string): string {
  const fd = openSync(file, 'r');
  try {
    const read = (at: number, length: number) => {
      const buffer = Buffer.alloc(length);
      readSync(fd, buffer, 0, length, at);
      return buffer;
    };
    const at = inQcow2(read, recordOffset);
    return at === null
      ? ''
      : (read(at, 512)
          .toString('latin1')
          .split(/[\n\0]/)[0] ?? '');
  } finally {
    closeSync(fd);
  }
}

/** Where in a qcow2 file the byte of its disk is; the same where the file is no qcow2; null where it was never written. */
function inQcow2(read: (at: number, length: number) => Buffer, offset: number): number | null {
  const header = read(0, 48);
  if (header.toString('latin1', 0, 4) !== 'QFI\xfb') return offset;
  const bits = header.readUInt32BE(20);
  const entries = 2 ** (bits - 3);
  const cluster = Math.floor(offset / 2 ** bits);
  const entry = (table: bigint, index: number) =>
    read(Number(table) + 8 * index, 8).readBigUInt64BE() & addressBits;
  const table = entry(header.readBigUInt64BE(40), Math.floor(cluster / entries));
  const data = table === 0n ? 0n : entry(table, cluster % entries);
  return data === 0n ? null : Number(data) + (offset % 2 ** bits);
}
