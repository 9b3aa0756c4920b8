/** A line of a few pixels' height as the points of an SVG polyline. Pure. */

export interface SparklineBox {
  readonly width: number;
  readonly height: number;
  /** What reaches the top; more is cut off. */
  readonly ceiling: number;
}

/** `x,y x,y …` from left to right; empty for fewer than two values. Null values are gaps that the line bridges. */
export function sparklinePoints(values: readonly (number | null)[], { width, height, ceiling }: SparklineBox): string {
  const known = values.flatMap((value, index) => (value === null ? [] : [{ value, index }]));
  if (known.length < 2 || ceiling <= 0) return '';
  const last = values.length - 1;
  return known
    .map(({ value, index }) => {
      const x = (index / last) * width;
      const y = height - (Math.min(value, ceiling) / ceiling) * height;
      return `${x.toFixed(1)},${y.toFixed(1)}`;
    })
    .join(' ');
}
