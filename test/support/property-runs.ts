/** How often property tests try, and from which seed: `PROPERTY_RUNS=200 PROPERTY_SEED=1` is more, and again. */

/** As often as the environment says, or else as the test would. */
export function propertyRuns(usual: number): number {
  return Number(process.env['PROPERTY_RUNS'] ?? usual);
}

export function propertySeed(): number {
  const given = process.env['PROPERTY_SEED'];
  return given === undefined ? Math.floor(Math.random() * 2 ** 31) : Number(given);
}
