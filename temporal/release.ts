/** The Temporal CLI release that drover is tested with, and what is official about it. */
export const TEMPORAL_CLI_VERSION = '1.5.1';

/** What it brings; an older server lacks `matching.enableFairness`. */
export const MIN_SERVER_VERSION = '1.29.0';
export const MIN_GO_VERSION = '1.25';

export const GO_PACKAGE = `github.com/temporalio/cli/cmd/temporal@v${TEMPORAL_CLI_VERSION}`;
/** As the official build sets them: without `-X` the binary calls itself 0.0.0-DEV. */
export const GO_LDFLAGS = `-s -w -X github.com/temporalio/cli/temporalcli.Version=${TEMPORAL_CLI_VERSION}`;

export const RELEASE_BASE = `https://github.com/temporalio/cli/releases/download/v${TEMPORAL_CLI_VERSION}`;

/**
 * sha256 of the archives. They are copied from package definitions which pin this release, each from at least
 * two independent ones that agree (cashapp/hermit-packages and zph/hermit-packages among them); nobody has
 * compared them with a download yet. A wrong one can only refuse a good archive, and the next way is tried.
 */
export const archiveSha256: Readonly<Record<string, string>> = {
  linux_amd64: 'ddc95e08b0b076efd4ea9733a3f488eb7d2be875f8834e616cd2a37358b4852d',
  linux_arm64: 'bd1b0db9f18b051026de8bf6cc1505f2510f14bbb7a8b9a4a91fff46c77454f5',
  darwin_amd64: 'bbb73e2a31135abe50a1f1cdb35030c42961df618e8ce9c60ae89f201540c5d9',
  darwin_arm64: 'cca01b7ea35ad56e2a328d9ae596bf716bd22313ef63c7a761c88354457c2415',
};

/** This machine in the words of the release assets, for example `linux_amd64`. */
export function releasePlatform(): string {
  return `${process.platform}_${process.arch === 'x64' ? 'amd64' : process.arch}`;
}

export function archiveName(platform = releasePlatform()): string {
  return `temporal_cli_${TEMPORAL_CLI_VERSION}_${platform}.tar.gz`;
}

/** Compares dotted versions by their numbers: `isAtLeast('1.29.1', '1.29.0')`. */
export function isAtLeast(version: string, minimum: string): boolean {
  const have = version.split('.').map(Number);
  for (const [index, need] of minimum.split('.').map(Number).entries()) {
    const part = have[index] ?? 0;
    if (part !== need) return part > need;
  }
  return true;
}
