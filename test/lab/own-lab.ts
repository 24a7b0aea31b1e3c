/** Two files at a time: the second has a lab of its own beside the usual one, in another network and another directory. */
const { VITEST_POOL_ID: worker, DROVER_LAB_DIR: dir = '/var/lib/drover-lab' } = process.env;

if (worker !== undefined && worker !== '1') {
  process.env['DROVER_LAB_DIR'] = `${dir}-${worker}`;
  // Far from the low numbers that people give theirs.
  process.env['DROVER_LAB_NET'] = String(100 + Number(worker));
}
