import { open, stat } from 'node:fs/promises';
import { DroverError } from '../../model/errors.js';

export type DiskFormat = 'qcow2' | 'raw';

/** Bytes of a disk's sector. */
const sector = 512;

/** Bit of a qcow2 header's incompatible features: the data is in another file. */
const DATA_FILE = 1n << 2n;

/** Formats that qemu would recognise and that can name other files, or that drover does not run. */
const foreign: { name: string; at: number; magic: string }[] = [
  { name: 'VMDK', at: 0, magic: 'KDMV' },
  { name: 'VMDK', at: 0, magic: 'COWD' },
  { name: 'VMDK', at: 0, magic: '# Disk DescriptorFile' },
  { name: 'VHDX', at: 0, magic: 'vhdxfile' },
  { name: 'VHD', at: 0, magic: 'conectix' },
  { name: 'QED', at: 0, magic: 'QED\0' },
  { name: 'VDI', at: 64, magic: '\x7f\x10\xda\xbe' },
  { name: 'LUKS', at: 0, magic: 'LUKS\xba\xbe' },
  { name: 'Parallels', at: 0, magic: 'WithoutFreeSpace' },
  { name: 'Parallels', at: 0, magic: 'WithouFreSpacExt' },
];

interface Header {
  format: DiskFormat;
  /** The header of a qcow2 file names a file below it, or one that holds its data. */
  refersTo: 'a backing file' | 'a data file' | null;
}

/**
 * What the first bytes say, read by ourselves: qemu-img, asked without a format, would believe the file and
 * open whatever it names (CVE-2022-47951, CVE-2024-4467). Everything without a known magic is raw.
 */
export async function readHeader(path: string): Promise<Header> {
  const head = Buffer.alloc(512);
  const file = await open(path, 'r');
  try {
    await file.read(head, 0, head.length, 0);
  } finally {
    await file.close();
  }
  const other = foreign.find(({ at, magic }) =>
    head.subarray(at, at + magic.length).equals(Buffer.from(magic, 'latin1')),
  );
  if (other !== undefined) {
    throw new DroverError('DiskError', `${path} is a ${other.name} image; drover takes qcow2 and raw`, {
      hint: 'convert it with qemu-img convert, on a machine that may trust it',
    });
  }
  if (!head.subarray(0, 4).equals(Buffer.from('QFI\xfb', 'latin1'))) return { format: 'raw', refersTo: null };
  const version = head.readUInt32BE(4);
  if (version !== 2 && version !== 3)
    throw new DroverError('DiskError', `${path} is a QCOW image of version ${version}`);
  if (head.readBigUInt64BE(8) !== 0n) return { format: 'qcow2', refersTo: 'a backing file' };
  const dataFile = version === 3 && (head.readBigUInt64BE(72) & DATA_FILE) !== 0n;
  return { format: 'qcow2', refersTo: dataFile ? 'a data file' : null };
}

/** The format of an image that somebody brought; one that refers to other files is refused. */
export async function untrustedFormat(path: string): Promise<DiskFormat> {
  const { format, refersTo } = await readHeader(path);
  if (format === 'raw') await refuseUnlikelyRaw(path);
  if (refersTo === null) return format;
  throw new DroverError('DiskError', `${path} has ${refersTo}; an image must be whole in itself`, {
    hint: 'flatten it with qemu-img convert, on a machine that may trust it',
  });
}

/** Any bytes can be a raw disk; what says by its name or its size that it is none would only never boot. */
async function refuseUnlikelyRaw(path: string): Promise<void> {
  if (path.endsWith('.qcow2')) {
    throw new DroverError('DiskError', `${path} is no qcow2 image, in spite of its name`, {
      hint: 'check the file: was its download cut short? A raw image must not be named .qcow2',
    });
  }
  const { size } = await stat(path);
  if (size === 0 || size % sector !== 0) {
    throw new DroverError(
      'DiskError',
      `${path} is no disk image: ${size} bytes are no whole number of sectors`,
    );
  }
}
