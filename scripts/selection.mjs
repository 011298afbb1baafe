/** Which checks run. */

/**
 * The checks whose names contain one of the filters, whatever the case, or all if there is none, and those that these need.
 * `toRun` keeps the order of `checks`; `unknown` are the filters that no name contains.
 */
export function select(checks, filters) {
  const matches = ({ name }, filter) => name.toLowerCase().includes(filter.toLowerCase());
  const chosen = checks.filter((check) => filters.length === 0 || filters.some((filter) => matches(check, filter)));
  const wanted = new Set();
  const want = (check) => {
    wanted.add(check);
    check.needs?.forEach(want);
  };
  chosen.forEach(want);
  return {
    chosen,
    toRun: checks.filter((check) => wanted.has(check)),
    unknown: filters.filter((filter) => !checks.some((check) => matches(check, filter))),
  };
}
