// Finds the Temporal server that the tests need, or makes it, which can take minutes; after a build.
const { findTemporal } = await import('../dist/temporal/binary.js');
const { path } = await findTemporal({ say: (line) => console.log(line) });
console.log(path);
